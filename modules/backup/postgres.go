package backup

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
)

// copyOut writes the tables of the schema feedrank as they are at one moment.
func (m *Manifest) copyOut(ctx context.Context, conn *pgx.Conn, dir string, progress Progress) error {
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error {
			m.Postgres.Rows = map[string]int64{}
			for i, table := range ofPostgres {
				progress("postgres", int64(i), int64(len(ofPostgres)))
				err := m.into(dir, fileOf(table), func(out io.Writer) error {
					tag, err := tx.Conn().PgConn().CopyTo(ctx, out, "COPY "+quoted(table)+" TO STDOUT")
					m.Postgres.Rows[table] = tag.RowsAffected()
					return err
				})
				if err != nil {
					return fmt.Errorf("copy feedrank.%s: %w", table, err)
				}
			}
			return nil
		})
}

// farAbove is what is added to the numbers of leaders: whoever remembers a higher one than the backup has would take
// those that come for ones that were replaced.
const farAbove = 1_000_000_000

// copyIn puts them back, all or none.
func (m *Manifest) copyIn(ctx context.Context, conn *pgx.Conn, dir string, progress Progress) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for i, table := range ofPostgres {
			progress("postgres", int64(i), int64(len(ofPostgres)))
			if _, kept := m.Postgres.Rows[table]; !kept {
				continue
			}
			rows, err := copyFile(ctx, tx, dir, table)
			if err != nil {
				return fmt.Errorf("copy feedrank.%s: %w", table, err)
			}
			if had := m.Postgres.Rows[table]; rows != had {
				return fmt.Errorf("%w: feedrank.%s has %d rows and had %d", ErrDamaged, table, rows, had)
			}
			// ids of rows to come are above those that are there
			_, err = tx.Exec(ctx, `SELECT setval(sequence, (SELECT coalesce(max((to_jsonb(r) ->> 'id')::bigint), 0) + 1 FROM `+
				quoted(table)+` r), false)
				FROM (SELECT pg_get_serial_sequence($1, 'id') AS sequence
					WHERE EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'id' AND NOT attisdropped)) s
				WHERE sequence IS NOT NULL`, "feedrank."+table)
			if err != nil {
				return fmt.Errorf("ids of feedrank.%s: %w", table, err)
			}
		}
		for _, table := range []string{"job_lead", "cdc_leads"} {
			if _, err := tx.Exec(ctx, "UPDATE "+quoted(table)+" SET number = number + $1", farAbove); err != nil {
				return fmt.Errorf("leaders of feedrank.%s: %w", table, err)
			}
		}
		return nil
	})
}

func copyFile(ctx context.Context, tx pgx.Tx, dir, table string) (rows int64, err error) {
	err = reading(dir, fileOf(table), func(file io.Reader) error {
		tag, err := tx.Conn().PgConn().CopyFrom(ctx, file, "COPY "+quoted(table)+" FROM STDIN")
		rows = tag.RowsAffected()
		return err
	})
	return rows, err
}

// filled are those of them that have rows.
func filled(ctx context.Context, conn *pgx.Conn) (full []string, err error) {
	for _, table := range ofPostgres {
		var some bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+quoted(table)+")").Scan(&some); err != nil {
			return nil, err
		}
		if some {
			full = append(full, table)
		}
	}
	return full, nil
}

func fileOf(table string) string { return "postgres." + table + ".copy" }

func quoted(table string) string { return pgx.Identifier{"feedrank", table}.Sanitize() }
