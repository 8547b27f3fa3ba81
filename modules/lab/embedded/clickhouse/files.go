//go:build linux || darwin

package clickhouse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// The caches are upper bounds; the defaults (5 GiB each) exceed the memory limit. It shares the machine with everything
// else: two merges at a time, behind those who ask (where the system allows it).
const configXML = `<clickhouse>
  <user_directories><users_xml><path>{{path .DataDir "users.xml"}}</path></users_xml></user_directories>
  <backups><allowed_path>{{path .DataDir "backups"}}/</allowed_path><allowed_disk>backups</allowed_disk></backups>
  <storage_configuration><disks>
    <backups><type>local</type><path>{{path .DataDir "backup_disk"}}/</path></backups>
  </disks></storage_configuration>
  <logger><log>{{path .DataDir "engine.log"}}</log><size>16M</size><count>1</count></logger>
  <timezone>{{text .Timezone}}</timezone>
  <listen_host>{{host .Private}}</listen_host>
  <tcp_port>{{port .Addr}}</tcp_port>{{with .HTTPAddr}}
  <http_port>{{port .}}</http_port>{{end}}
  <max_server_memory_usage>{{.Memory}}</max_server_memory_usage>
  <max_connections>{{.Connections}}</max_connections>
  <max_concurrent_queries>{{.Queries}}</max_concurrent_queries>
  <background_pool_size>2</background_pool_size>
  <os_threads_nice_value_merge_mutate>10</os_threads_nice_value_merge_mutate>
  <max_parts_cleaning_thread_pool_size>4</max_parts_cleaning_thread_pool_size>
  <max_active_parts_loading_thread_pool_size>4</max_active_parts_loading_thread_pool_size>
  <max_outdated_parts_loading_thread_pool_size>4</max_outdated_parts_loading_thread_pool_size>
  <mark_cache_size>268435456</mark_cache_size>
  <primary_index_cache_size>268435456</primary_index_cache_size>
  <index_mark_cache_size>67108864</index_mark_cache_size>
  <vector_similarity_index_cache_size>67108864</vector_similarity_index_cache_size>
  <mmap_cache_size>256</mmap_cache_size>{{with .Cluster}}
  <remote_servers><{{.Name}}><secret>{{text .Secret}}</secret>{{range .Shards}}
    <shard>{{range .}}<replica><host>{{host .}}</host><port>{{port .}}</port></replica>{{end}}</shard>{{end}}
  </{{.Name}}></remote_servers>{{end}}
</clickhouse>
`

// The profile puts back what clickhouse-local sets otherwise than a server.
const usersXML = `<clickhouse>
  <profiles>
    <default>
      <queue_max_wait_ms>60000</queue_max_wait_ms>
      <implicit_select>0</implicit_select>
      <allow_introspection_functions>0</allow_introspection_functions>
      <storage_file_read_method>pread</storage_file_read_method>
      <output_format_arrow_use_native_writer>1</output_format_arrow_use_native_writer>
      {{- range $name, $value := .Profile}}{{if ne $name "readonly"}}
      <{{$name}}>{{text $value}}</{{$name}}>{{end}}{{end}}
    </default><served>{{with .Profile.readonly}}<readonly>{{text .}}</readonly>{{end}}</served>
    <own_session>
      <max_sessions_for_user>1</max_sessions_for_user>
      <constraints><max_sessions_for_user><const/></max_sessions_for_user></constraints>
    </own_session>
  </profiles><quotas><default/></quotas>
  <users>
    <default>
      <password/><networks><ip>127.0.0.1</ip></networks><profile>own_session</profile><quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT READ ON FILE</query>
        <query>GRANT CREATE TEMPORARY TABLE, CREATE DATABASE ON *.*</query></grants>
    </default>
    <{{.User}}>
      <password_sha256_hex>{{sha256 .Password}}</password_sha256_hex><networks><ip>::/0</ip></networks>
      <profile>served</profile><quota>default</quota><access_management>1</access_management>
    </{{.User}}>{{range .Users}}
    <{{.Name}}>
      <password_sha256_hex>{{sha256 .Password}}</password_sha256_hex><networks><ip>::/0</ip></networks>
      <profile>served</profile><quota>default</quota>
      <grants>{{range .Grants}}<query>{{text .}}</query>{{end}}</grants>
    </{{.Name}}>{{end}}
  </users>
</clickhouse>
`

// writeFiles writes what the server reads when it starts. Only our user may read them: a secret is in one.
func (s *server) writeFiles() error {
	functions := template.FuncMap{
		"text": func(text string) (string, error) {
			var b strings.Builder
			err := xml.EscapeText(&b, []byte(text))
			return b.String(), err
		},
		"sha256": func(text string) string {
			sum := sha256.Sum256([]byte(text))
			return hex.EncodeToString(sum[:])
		},
		"path": filepath.Join,
		"host": func(addr string) (string, error) { host, _, err := net.SplitHostPort(addr); return host, err },
		"port": func(addr string) (string, error) { _, port, err := net.SplitHostPort(addr); return port, err },
	}
	for name, text := range map[string]string{"config.xml": configXML, "users.xml": usersXML} {
		parsed, err := template.New(name).Funcs(functions).Parse(text)
		if err != nil {
			return err
		}
		var b strings.Builder
		// The gate turns away clients; HTTP has connections of its own.
		err = parsed.Execute(&b, struct {
			*server
			Memory, Connections, Queries int
		}{s, memoryLimit, maxConnections + 128, maxQueries})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.DataDir, name), []byte(b.String()), 0o600); err != nil {
			return fmt.Errorf("clickhouse data directory: %w", err)
		}
	}
	return nil
}
