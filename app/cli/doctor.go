package cli

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/feedrank/feedrank/app"
)

var errUnwell = errors.New("the deployment is not well: see above")

func doctorCommand(load loader) *cobra.Command {
	var asJSON bool
	var replicas []string
	c := &cobra.Command{
		Use: "doctor", Short: "Look at a live deployment and say what to fix, what is most urgent first",
		Long: "doctor looks at every server and replica of a deployment: versions, grants, migrations, the mapping,\n" +
			"the replication slot, topics and groups, clocks, disks and memory. It changes nothing. It exits with 1\n" +
			"if something is broken or at risk. Give it the configuration that the replicas have.",
		Args: exactly(0),
	}
	read := load(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := read()
		if err != nil {
			return err
		}
		report, err := app.Doctor(c.Context(), cfg, replicas)
		if err != nil {
			return err
		}
		if asJSON {
			out := json.NewEncoder(c.OutOrStdout())
			out.SetIndent("", "  ")
			err = out.Encode(report)
		} else {
			err = report.Print(c.OutOrStdout())
		}
		if err == nil && !report.Well() {
			err = errUnwell
		}
		return err
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	c.Flags().StringSliceVar(&replicas, "replica", nil,
		"a replica by its address for operators, such as http://10.0.0.7:8081; none: the one that the configuration puts here")
	return c
}
