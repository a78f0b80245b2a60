package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format returns a stack file in the canonical layout. A file with a syntax error is not touched: the error is
// Diagnostics whose File is name.
func Format(name string, src []byte) ([]byte, error) {
	_, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		var p problems
		p.source(name, src)
		p.addHCL(diags)
		return nil, p.sorted()
	}
	return hclwrite.Format(src), nil
}
