package source

import "github.com/feedrank/feedrank/modules/cdc/mapping"

// TablesOf are the mapped tables with the columns that their kinds are made from.
func TablesOf(m *mapping.Mapping) []Table {
	var all []Table
	for _, name := range m.Tables() {
		t := Table{Name: name, Key: m.KeyColumn(name)}
		for _, s := range m.Sources(name) {
			t.Columns = append(t.Columns, s.NeededColumns()...)
			if id := s.IDColumn(); id != "" {
				t.IDs = append(t.IDs, id)
			}
		}
		all = append(all, t)
	}
	return all
}
