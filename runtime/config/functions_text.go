package config

import (
	"encoding/base64"
	"errors"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

func base64EncodeFunction() function.Function {
	return textFunction("The base64 of a string's UTF-8 bytes.", "str", func(s string) (string, error) {
		return base64.StdEncoding.EncodeToString([]byte(s)), nil
	})
}

func base64DecodeFunction() function.Function {
	return textFunction("The text that a base64 string stands for.", "str", func(s string) (string, error) {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return "", errors.New("it is not base64")
		}
		if !utf8.Valid(b) {
			return "", errors.New("what it stands for is not UTF-8 text")
		}
		return string(b), nil
	})
}

// diagError makes an error of the first problem of a template, with its place.
func diagError(diags hcl.Diagnostics) error {
	var p problems
	p.addHCL(diags)
	return errors.New(p.list[0].String())
}

// convertToText returns a template's result as a string: one that is a single ${…} keeps its value's type.
func convertToText(v cty.Value) (cty.Value, error) {
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		return cty.NilVal, errors.New("the template's result is not text")
	}
	return s, nil
}
