package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functionTable returns the functions that expressions can call.
func (l *loader) functionTable() map[string]function.Function {
	table := pureFunctions()
	table["env"] = l.envFunction()
	table["file"] = l.fileFunction()
	table["abspath"] = pathFunction("Makes a path absolute; a relative one is relative to the stack's folder.", func(p string) string {
		return absolute(l.dir, p)
	})
	table["templatefile"] = l.templateFunction(table)
	return table
}

// pureFunctions are those whose result depends on their arguments alone.
func pureFunctions() map[string]function.Function {
	return map[string]function.Function{
		"abs":             stdlib.AbsoluteFunc,
		"base64decode":    base64DecodeFunction(),
		"base64encode":    base64EncodeFunction(),
		"basename":        pathFunction("The last part of a path.", filepath.Base),
		"can":             tryfunc.CanFunc,
		"ceil":            stdlib.CeilFunc,
		"chunklist":       stdlib.ChunklistFunc,
		"coalesce":        stdlib.CoalesceFunc,
		"coalescelist":    stdlib.CoalesceListFunc,
		"compact":         stdlib.CompactFunc,
		"concat":          stdlib.ConcatFunc,
		"contains":        stdlib.ContainsFunc,
		"csvdecode":       stdlib.CSVDecodeFunc,
		"dirname":         pathFunction("A path without its last part.", filepath.Dir),
		"distinct":        stdlib.DistinctFunc,
		"element":         stdlib.ElementFunc,
		"flatten":         stdlib.FlattenFunc,
		"floor":           stdlib.FloorFunc,
		"format":          stdlib.FormatFunc,
		"formatlist":      stdlib.FormatListFunc,
		"indent":          stdlib.IndentFunc,
		"join":            stdlib.JoinFunc,
		"jsondecode":      stdlib.JSONDecodeFunc,
		"jsonencode":      stdlib.JSONEncodeFunc,
		"keys":            stdlib.KeysFunc,
		"length":          lengthFunction(),
		"lookup":          stdlib.LookupFunc,
		"lower":           stdlib.LowerFunc,
		"max":             stdlib.MaxFunc,
		"merge":           stdlib.MergeFunc,
		"min":             stdlib.MinFunc,
		"range":           stdlib.RangeFunc,
		"regex":           stdlib.RegexFunc,
		"regexall":        stdlib.RegexAllFunc,
		"replace":         stdlib.ReplaceFunc,
		"reverse":         stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      stdlib.SetProductFunc,
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
		"slice":           stdlib.SliceFunc,
		"sort":            stdlib.SortFunc,
		"split":           stdlib.SplitFunc,
		"substr":          stdlib.SubstrFunc,
		"title":           stdlib.TitleFunc,
		"tobool":          stdlib.MakeToFunc(cty.Bool),
		"tolist":          stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":           stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber":        stdlib.MakeToFunc(cty.Number),
		"toset":           stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tostring":        stdlib.MakeToFunc(cty.String),
		"trim":            stdlib.TrimFunc,
		"trimprefix":      stdlib.TrimPrefixFunc,
		"trimspace":       stdlib.TrimSpaceFunc,
		"trimsuffix":      stdlib.TrimSuffixFunc,
		"try":             tryfunc.TryFunc,
		"upper":           stdlib.UpperFunc,
		"values":          stdlib.ValuesFunc,
		"zipmap":          stdlib.ZipmapFunc,
	}
}

// textFunction makes a function from strings to a string.
func textFunction(doc, parameter string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: doc,
		Params:      []function.Parameter{{Name: parameter, Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

func pathFunction(doc string, f func(string) string) function.Function {
	return textFunction(doc, "path", func(p string) (string, error) { return filepath.ToSlash(f(p)), nil })
}

// lengthFunction is that of the library, for strings as well.
func lengthFunction() function.Function {
	return function.New(&function.Spec{
		Description: "The number of elements of a collection, or of characters of a string.",
		Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if t == cty.String || t.IsCollectionType() || t.IsTupleType() || t.IsObjectType() || t == cty.DynamicPseudoType {
				return cty.Number, nil
			}
			return cty.NilType, function.NewArgErrorf(0, "it has no length")
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch t := args[0].Type(); {
			case t == cty.String:
				return stdlib.Strlen(args[0])
			case t.IsObjectType():
				return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
			default:
				return args[0].Length(), nil
			}
		},
	})
}

// envFunction reads the environment that devstack was started in.
func (l *loader) envFunction() function.Function {
	return function.New(&function.Spec{
		Description: "The value of an environment variable; if it is not set, the second argument.",
		Params:      []function.Parameter{{Name: "name", Type: cty.String}},
		VarParam:    &function.Parameter{Name: "default", Type: cty.String},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			value, ok := l.opts.Env(args[0].AsString())
			switch {
			case len(args) > 2:
				return cty.NilVal, errors.New("env takes one default")
			case ok:
				return cty.StringVal(value), nil
			case len(args) == 2:
				return args[1], nil
			}
			return cty.NilVal, function.NewArgErrorf(0, "the environment variable %s is not set; give a default as second argument", args[0].AsString())
		},
	})
}

// read reads a file for a function of the language.
func (l *loader) read(path string) (string, error) {
	content, err := l.readFile(absolute(l.dir, path))
	if err != nil {
		return "", fmt.Errorf("%s: %w%s", path, err, nearFile(l.dir, path))
	}
	if !utf8.Valid(content) {
		return "", fmt.Errorf("%s is not UTF-8 text", path)
	}
	return string(content), nil
}

func (l *loader) fileFunction() function.Function {
	return textFunction("The content of a text file. A change of it is a change of the stack.", "path", func(path string) (string, error) {
		content, err := l.read(path)
		if err == nil {
			l.contents[content] = path
		}
		return content, err
	})
}

// templateFunction renders a file as a template. In it the variables are those of its second argument, and every
// function may be called but templatefile itself.
func (l *loader) templateFunction(table map[string]function.Function) function.Function {
	inner := make(map[string]function.Function, len(table))
	for name, f := range table {
		inner[name] = f
	}
	return function.New(&function.Spec{
		Description: "The content of a text file with its ${…} and %{…} evaluated.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}, {Name: "vars", Type: cty.DynamicPseudoType}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path, vars := args[0].AsString(), args[1]
			if !vars.Type().IsObjectType() && !vars.Type().IsMapType() {
				return cty.NilVal, function.NewArgErrorf(1, "vars must be a map")
			}
			content, err := l.read(path)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			if line := tooDeep([]byte(content)); line > 0 {
				return cty.NilVal, function.NewArgErrorf(0, "%s:%d: too many brackets or signs are nested", path, line)
			}
			template, diags := hclsyntax.ParseTemplate([]byte(content), path, hcl.InitialPos)
			if diags.HasErrors() {
				return cty.NilVal, function.NewArgError(0, diagError(diags))
			}
			result, diags := template.Value(&hcl.EvalContext{Variables: vars.AsValueMap(), Functions: inner})
			if diags.HasErrors() {
				return cty.NilVal, function.NewArgError(0, diagError(diags))
			}
			return convertToText(result)
		},
	})
}
