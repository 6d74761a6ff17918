// Prints kubectl's whole command tree as JSON: commands, aliases, flags. Built once for each minor version of kubectl.
package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	"k8s.io/kubectl/pkg/cmd"
)

type flag struct {
	Name    string `json:"name"`
	Short   string `json:"short"`
	Type    string `json:"type"`
	NoValue string `json:"noValue"` // pflag's NoOptDefVal: empty where a value must follow
	Default string `json:"default"`
}

type command struct {
	Path      string   `json:"path"`
	Aliases   []string `json:"aliases"`
	Container bool     `json:"container"`
	Flags     []flag   `json:"flags"`
}

type tree struct {
	Global   []flag    `json:"global"`
	Commands []command `json:"commands"`
}

func isInherited(c *cobra.Command, f *pflag.Flag) bool {
	for c.HasParent() {
		c = c.Parent()
		if c.PersistentFlags().Lookup(f.Name) == f {
			return true
		}
	}
	return false
}

func flagsOf(c *cobra.Command) []flag {
	found := []flag{}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || isInherited(c, f) {
			return
		}
		found = append(found, flag{f.Name, f.Shorthand, f.Value.Type(), f.NoOptDefVal, f.DefValue})
	})
	return found
}

func walk(c *cobra.Command, found *[]command) {
	_, path, _ := strings.Cut(c.CommandPath(), " ")
	c.InitDefaultHelpFlag()
	c.InheritedFlags() // merges the flags of all parents into c.Flags()
	if path != "" {
		*found = append(*found, command{
			path, append([]string{}, c.Aliases...), c.HasSubCommands(), flagsOf(c),
		})
	}
	for _, child := range c.Commands() {
		walk(child, found)
	}
}

func main() {
	root := cmd.NewDefaultKubectlCommand()
	// What k8s.io/component-base/cli adds when the command runs.
	root.SetGlobalNormalizationFunc(cliflag.WordSepNormalizeFunc)
	logs.AddFlags(root.PersistentFlags())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	commands := []command{}
	walk(root, &commands)
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(tree{flagsOf(root), commands}); err != nil {
		panic(err)
	}
}
