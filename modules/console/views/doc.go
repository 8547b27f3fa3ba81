// Package views makes the console's pages: a template for each, one style sheet and a few lines of script. Whatever a
// page shows is escaped for where it stands (package weave); no template writes a script or a style.
//
// The script does what a page can do without: times in the viewer's zone, the key "/" that leads to the search, a box
// that checks all boxes, and parts that are live. Such a part has data-live, in milliseconds: the page is asked for
// again and the part replaced. Nothing stays open between, so a replica that drains has nobody to wait for.
package views
