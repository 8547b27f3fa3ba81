// Package config is the typed configuration of the whole program: one struct composed of every
// module's own settings, read from a YAML file, the environment and flags.
package config
