// Package audit recounts. The events path promises that nothing is lost and nothing counted twice;
// an audit looks whether that is so: it recounts closed hours and days from the raw table, checks that
// ranges cover the offsets without gap or overlap and that every record of a range is accounted for,
// and that nothing stands in the raw table twice. Wrong counts are put right by the owner of the
// partition, who alone may.
package audit
