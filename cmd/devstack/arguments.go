package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"devstack/runtime/config"
)

// wrong is an error of the command line itself.
func wrong(format string, args ...any) error {
	return &exit{exitConfiguration, fmt.Errorf(format, args...)}
}

// strict makes a command and all below it refuse what they do not know, with the near name and how it is meant. Left to itself
// cobra shows the help for a verb that does not exist, and calls that a success.
func strict(cmd *cobra.Command) {
	cmd.Args = checkArguments
	if !cmd.Runnable() {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

// checkArguments compares arguments with those in the command's line of use: NAME has to be there, [NAME] may be, and NAME... is
// one or more.
func checkArguments(cmd *cobra.Command, args []string) error {
	if cmd.HasSubCommands() && len(args) > 0 {
		return unknownVerb(cmd, args[0])
	}
	words := strings.Fields(strings.ReplaceAll(cmd.Use, "-- ", ""))[1:]
	for i, word := range words {
		if len(args) <= i && !strings.HasPrefix(word, "[") {
			return wrong("%s needs %s: %s", verb(cmd), strings.TrimSuffix(word, "..."), usage(cmd))
		}
	}
	if len(args) > len(words) && (len(words) == 0 || !strings.Contains(words[len(words)-1], "...")) {
		return wrong("%s does not take %q: %s", verb(cmd), args[len(words)], usage(cmd))
	}
	return nil
}

// verb is a command as messages name it; they begin with the program's name anyway.
func verb(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

func usage(cmd *cobra.Command) string {
	return strings.TrimSuffix(cmd.CommandPath(), cmd.Name()) + cmd.Use
}

func unknownVerb(cmd *cobra.Command, name string) error {
	var known []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			known = append(known, sub.Name())
		}
	}
	hint := didYouMean(name, known)
	if hint == "" {
		hint = "; `" + cmd.CommandPath() + " --help` lists them"
	}
	return wrong("%s has no verb %q%s", verb(cmd), name, hint)
}

// flagError says in words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var value *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown.GetSpecifiedName())
	case errors.As(err, &value):
		want := map[string]string{"int": "a whole number", "duration": "a duration, like 30s or 2m", "stringToString": "name=value", "bool": "true or false"}
		return wrong("%s: --%s takes %s, and not %q", verb(cmd), value.GetFlag().Name, want[value.GetFlag().Value.Type()], value.GetValue())
	}
	return wrong("%s: %w", verb(cmd), err)
}

func unknownFlag(cmd *cobra.Command, name string) error {
	if unicode.IsDigit(rune(name[0])) && cmd.Name() == "advance" {
		return wrong("%s: the clock moves forward only", verb(cmd))
	}
	flag := "--" + name
	if len(name) == 1 {
		flag = "-" + name
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	hint := "; `" + cmd.CommandPath() + " --help` lists them"
	if near := config.Nearest(name, known); near != "" && len(name) > 1 {
		hint = "; did you mean --" + near + "?"
	}
	return wrong("%s has no flag %s%s", verb(cmd), flag, hint)
}

// newHelp is `devstack help`.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB...]",
		Short: "Show what a verb does and which flags it takes",
		RunE: func(cmd *cobra.Command, args []string) error {
			at := cmd.Root()
			for _, name := range args {
				var next *cobra.Command
				for _, sub := range at.Commands() {
					if sub.Name() == name {
						next = sub
					}
				}
				if next == nil {
					return unknownVerb(at, name)
				}
				at = next
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// lineCount is the flag --lines.
func lineCount(cmd *cobra.Command) (int, error) {
	n, err := cmd.Flags().GetInt("lines")
	if err == nil && n < 0 {
		err = wrong("%s: --lines takes a number from 0, and not %d", verb(cmd), n)
	}
	return n, err
}

// resourceNames completes the names of the stack's resources: all, or those of one type.
func resourceNames(kind string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
		stack, err := readStack(cmd)
		if err != nil || kind != "" && len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		for _, r := range stack.Resources {
			if id := r.Base().ID; kind == "" {
				names = append(names, id.String())
			} else if id.Type == kind {
				names = append(names, id.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
