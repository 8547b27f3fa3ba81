// Package chart holds the Helm chart to what Kubernetes and feedrank take. It is a module of its own: what Helm and
// Kubernetes bring along is no dependency of feedrank.
package chart

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/feedrank/feedrank/config"
)

const (
	folder = "../../config/helm/feedrank"
	golden = "../../config/kubernetes/feedrank.yaml"
)

var update = flag.Bool("update", false, "write "+golden)

// everything switches on what is off by default.
const everything = `
image: {digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}
imagePullSecrets: [{name: registry}]
deployments:
  api: {autoscaling: {enabled: true}}
  consumers: {autoscaling: {enabled: true}}
ingress: {enabled: true, className: nginx, tlsSecret: tls, annotations: {a: b}}
service: {annotations: {a: b}}
serviceAccount: {annotations: {a: b}}
podAnnotations: {a: b}
nodeSelector: {disk: ssd}
tolerations: [{key: a, operator: Exists}]
affinity: {nodeAffinity: {}}
monitoring: {serviceMonitor: {enabled: true, labels: {release: p}}, rules: {enabled: true, labels: {release: p}}}
`

// object is one manifest.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	text     []byte
}

// render is the chart's objects, in a fixed order.
func render(t *testing.T, values string) []object {
	t.Helper()
	text, err := rendered(values)
	require.NoError(t, err)
	var all []object
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		var o object
		require.NoError(t, yaml.Unmarshal(document, &o), string(document))
		if o.Kind != "" {
			o.text = document
			all = append(all, o)
		}
	}
}

// rendered is what `helm template feedrank` prints, but for comments on where an object comes from.
func rendered(values string) (string, error) {
	c, err := loader.Load(folder)
	if err != nil {
		return "", err
	}
	given := map[string]any{}
	if err := yaml.Unmarshal([]byte(values), &given); err != nil {
		return "", err
	}
	all, err := chartutil.ToRenderValues(c, given,
		chartutil.ReleaseOptions{Name: "feedrank", Namespace: "default", Revision: 1, IsInstall: true}, nil)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(files[name]) != "" {
			b.WriteString("---\n" + strings.TrimPrefix(strings.TrimSpace(files[name]), "---\n") + "\n")
		}
	}
	return b.String(), nil
}

func TestHelmFindsNoFault(t *testing.T) {
	for _, m := range lint.All(folder, map[string]any{}, "default", true).Messages {
		if m.Severity > support.InfoSev {
			t.Errorf("%s: %s", m.Path, m.Err)
		}
	}
}

func TestEveryObjectIsWhatItsKindTakes(t *testing.T) {
	kinds := map[string]func() any{
		"ConfigMap": func() any { return &corev1.ConfigMap{} }, "Service": func() any { return &corev1.Service{} },
		"ServiceAccount": func() any { return &corev1.ServiceAccount{} },
		"Deployment":     func() any { return &appsv1.Deployment{} }, "Job": func() any { return &batchv1.Job{} },
		"PodDisruptionBudget":     func() any { return &policyv1.PodDisruptionBudget{} },
		"HorizontalPodAutoscaler": func() any { return &autoscalingv2.HorizontalPodAutoscaler{} },
		"Ingress":                 func() any { return &networkingv1.Ingress{} },
		"NetworkPolicy":           func() any { return &networkingv1.NetworkPolicy{} },
		// of the Prometheus operator, whose types are not here: its rules are compared below
		"ServiceMonitor": func() any { return &map[string]any{} },
		"PrometheusRule": func() any { return &map[string]any{} },
	}
	seen := map[string]bool{}
	for name, values := range map[string]string{"defaults": "", "everything": everything} {
		names := map[string]bool{}
		for _, o := range render(t, values) {
			require.Contains(t, kinds, o.Kind, name)
			require.NoError(t, yaml.UnmarshalStrict(o.text, kinds[o.Kind]()), "%s: %s", name, o.text)
			require.False(t, names[o.Kind+o.Metadata.Name], "%s: %s %s twice", name, o.Kind, o.Metadata.Name)
			names[o.Kind+o.Metadata.Name], seen[o.Kind] = true, true
		}
	}
	for kind := range kinds {
		require.True(t, seen[kind], "%s is never made", kind)
	}
}

// pod is what runs feedrank.
type pod struct {
	name string
	spec corev1.PodSpec
}

func pods(t *testing.T, objects []object) (all []pod) {
	t.Helper()
	for _, o := range objects {
		switch o.Kind {
		case "Deployment":
			var d appsv1.Deployment
			require.NoError(t, yaml.Unmarshal(o.text, &d))
			require.Equal(t, d.Spec.Selector.MatchLabels, d.Spec.Template.Labels)
			all = append(all, pod{d.Name, d.Spec.Template.Spec})
		case "Job":
			var j batchv1.Job
			require.NoError(t, yaml.Unmarshal(o.text, &j))
			all = append(all, pod{j.Name, j.Spec.Template.Spec})
		}
	}
	require.NotEmpty(t, all)
	return all
}

// TestThePodsSettingsStartTheProgram reads the settings as a pod would: the file that is mounted, the environment with
// values from the Secret, what the platform adds for services of our name, and the flags.
func TestThePodsSettingsStartTheProgram(t *testing.T) {
	secrets := map[string]string{
		"auth-secret": "0123456789abcdef0123456789abcdef", "clickhouse-password": "a", "migrate-clickhouse-password": "b",
		"postgres-dsn":         "postgres://feedrank:a@postgres:5432/app",
		"migrate-postgres-dsn": "postgres://feedrank_migrate:b@postgres:5432/app",
	}
	objects := render(t, everything)
	files := map[string]string{}
	for _, o := range objects {
		if o.Kind == "ConfigMap" {
			var c corev1.ConfigMap
			require.NoError(t, yaml.Unmarshal(o.text, &c))
			files[c.Name] = c.Data["feedrank.yaml"]
		}
	}
	roles := map[string]bool{}
	for _, p := range pods(t, objects) {
		t.Run(p.name, func(t *testing.T) {
			require.Len(t, p.spec.Containers, 1)
			c := p.spec.Containers[0]
			env := []string{
				"FEEDRANK_SERVICE_HOST=10.0.0.1", "FEEDRANK_PORT=tcp://10.0.0.1:8080", "FEEDRANK_SERVICE_PORT_HTTP=8080",
				"FEEDRANK_OPERATORS_SERVICE_HOST=10.0.0.2",
			}
			path := ""
			for _, v := range c.Env {
				switch {
				case v.Name == "FEEDRANK_CONFIG":
					path = v.Value
				case v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil:
					require.Equal(t, "feedrank", v.ValueFrom.SecretKeyRef.Name)
					require.Contains(t, secrets, v.ValueFrom.SecretKeyRef.Key)
					env = append(env, v.Name+"="+secrets[v.ValueFrom.SecretKeyRef.Key])
				}
			}
			require.Equal(t, c.VolumeMounts[0].MountPath+"/feedrank.yaml", path)
			file := filepath.Join(t.TempDir(), "feedrank.yaml")
			require.NoError(t, os.WriteFile(file, []byte(files[p.spec.Volumes[0].ConfigMap.Name]), 0o600))
			var set []string
			switch c.Args[0] {
			case "serve":
				require.Equal(t, "--roles", c.Args[1])
				set = []string{"roles=" + c.Args[2]}
			default:
				require.Equal(t, []string{"migrate"}, c.Args)
			}
			cfg, err := config.Load(config.Sources{File: file, Env: env, Set: set})
			require.NoError(t, err)
			require.NoError(t, config.CheckPublished(cfg))
			for _, r := range cfg.Roles {
				roles[r] = true
			}
			require.Equal(t, ":8080", cfg.HTTP.Addr)
			require.Equal(t, ":8081", cfg.HTTP.AdminAddr, "operators have a port of their own")
			if c.Args[0] == "migrate" {
				require.Equal(t, "feedrank_migrate", cfg.ClickHouse.User)
				require.Contains(t, cfg.Postgres.DSN, "feedrank_migrate:b@")
				return
			}
			stop := cfg.Lifecycle.StopTimeout + cfg.HTTP.DrainDelay
			require.Greater(t, float64(*p.spec.TerminationGracePeriodSeconds), stop.Seconds())
			for _, probe := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
				require.Equal(t, "operators", probe.HTTPGet.Port.String())
			}
			require.Equal(t, "/readyz", c.ReadinessProbe.HTTPGet.Path)
			require.Equal(t, "/healthz", c.LivenessProbe.HTTPGet.Path)
		})
	}
	for _, role := range []string{"api", "events-consumer", "cdc-consumer", "cdc-source", "jobs"} {
		require.True(t, roles[role], "nobody has the role %s", role)
	}
}

func TestNoPodHasMoreRightsThanItNeeds(t *testing.T) {
	for _, p := range pods(t, render(t, "")) {
		require.False(t, *p.spec.AutomountServiceAccountToken, p.name)
		require.True(t, *p.spec.SecurityContext.RunAsNonRoot, p.name)
		c := p.spec.Containers[0].SecurityContext
		require.True(t, *c.ReadOnlyRootFilesystem && !*c.AllowPrivilegeEscalation, p.name)
		require.Equal(t, []corev1.Capability{"ALL"}, c.Capabilities.Drop, p.name)
	}
}

func TestTheRulesAreTheAlerts(t *testing.T) {
	alerts, err := os.ReadFile("../../config/prometheus/alerts.yml")
	require.NoError(t, err)
	var want any
	require.NoError(t, yaml.Unmarshal(alerts, &want))
	for _, o := range render(t, everything) {
		if o.Kind == "PrometheusRule" {
			var rule struct{ Spec any }
			require.NoError(t, yaml.Unmarshal(o.text, &rule))
			require.Equal(t, want, rule.Spec)
			return
		}
	}
	t.Fatal("no rules")
}

func TestAValueThatTheChartDoesNotKnowIsRefused(t *testing.T) {
	for _, values := range []string{
		"replicas: 3", "deployments: {api: {replica: 3}}", "image: {repo: a}", "config: []", "stopTimeout: 30s",
		"deployments: {api: {roles: [web]}}", "monitoring: {serviceMonitors: {enabled: true}}",
	} {
		_, err := rendered(values)
		require.Error(t, err, values)
	}
}

// TestThePlainManifestsAreTheCharts holds what those apply who do not use Helm to the chart's defaults.
func TestThePlainManifestsAreTheCharts(t *testing.T) {
	text, err := rendered("")
	require.NoError(t, err)
	text = "# The chart config/helm/feedrank with its defaults, written by `make chart`. Of the chart " + sum(t) + ".\n" + text
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
	}
	written, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, text, string(written), "render it anew: make chart")
}

// sum tells one state of the chart from another, for who has no Helm at hand (config/kubernetes_test.go).
func sum(t *testing.T) string {
	t.Helper()
	hash := sha256.New()
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "alerts.yml" { // which the defaults leave out
			return err
		}
		text, err := os.ReadFile(path)
		hash.Write(text)
		return err
	}))
	return hex.EncodeToString(hash.Sum(nil))
}
