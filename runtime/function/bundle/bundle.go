// Package bundle turns a function's TypeScript or JavaScript sources into one script with esbuild. A Bundler keeps what
// esbuild knows of the files between builds, so that the next one parses only what has changed.
package bundle

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"

	"devstack/runtime/function"
)

// Options say what to bundle and for whom.
type Options struct {
	Dir      string // absolute; source maps, stack traces and messages name files relative to it
	Entry    string // absolute path of the entry file
	Format   api.Format
	Platform api.Platform
	Target   api.Target

	Supported  map[string]bool         // features that the target has or lacks, by esbuild's names
	External   []string                // import paths left as they are
	Packages   api.Packages            // PackagesExternal leaves all bare imports as they are
	Define     map[string]string       // expressions replaced by others
	LogLevels  map[string]api.LogLevel // of messages by their id: what is only a warning to esbuild may be a mistake to us
	MainFields []string                // of package.json, in the order of preference
	Extensions []string                // tried on imports without one, in this order; nil: esbuild's
	Roots      []string                // folders in which bare imports are looked for that are in no node_modules, like NODE_PATH's
	Plugins    []api.Plugin
}

// Result is one bundle.
type Result struct {
	Code     []byte
	Map      []byte   // source map of Code, without the sources' contents; its sources are relative to Options.Dir
	Inputs   []string // absolute: see function.Build
	Warnings []string // esbuild's, formatted for reading
}

// Bundler builds one entry file again and again. Its methods may be called from any goroutine; builds take turns.
type Bundler struct {
	opts Options

	mu       sync.Mutex
	ctx      api.BuildContext
	recorder recorder
}

// New returns a Bundler. Options that esbuild refuses are the error.
func New(o Options) (*Bundler, error) {
	b := &Bundler{opts: o, recorder: recorder{root: o.Dir}}
	ctx, err := api.Context(b.buildOptions())
	if err != nil {
		return nil, err
	}
	b.ctx = ctx
	return b, nil
}

func (b *Bundler) buildOptions() api.BuildOptions {
	o := b.opts
	return api.BuildOptions{
		EntryPoints:       []string{o.Entry},
		AbsWorkingDir:     o.Dir,
		Outfile:           filepath.Join(o.Dir, "function.js"), // never written; the source map's paths are relative to it
		Bundle:            true,
		Format:            o.Format,
		Platform:          o.Platform,
		Target:            o.Target,
		Supported:         o.Supported,
		External:          o.External,
		Packages:          o.Packages,
		Define:            o.Define,
		MainFields:        o.MainFields,
		NodePaths:         o.Roots,
		ResolveExtensions: o.Extensions,
		LogLevel:          api.LogLevelSilent,
		LogOverride:       o.LogLevels,
		Color:             api.ColorNever,
		Sourcemap:         api.SourceMapExternal,
		SourcesContent:    api.SourcesContentExclude,
		LegalComments:     api.LegalCommentsNone,
		Charset:           api.CharsetUTF8,
		Plugins:           append([]api.Plugin{b.recorder.plugin()}, o.Plugins...),
	}
}

// Build bundles the files as they are now. A mistake in them is a *function.BuildError, and then the Result has nothing
// but Inputs. When ctx ends the build is cancelled.
func (b *Bundler) Build(ctx context.Context) (*Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.recorder.reset()
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		b.ctx.Cancel()
	})
	out := b.ctx.Rebuild()
	if !stop() {
		<-cancelled // or it would reach the next build
		return nil, ctx.Err()
	}
	r := &Result{Inputs: b.recorder.inputs(b.opts), Warnings: format(out.Warnings, api.WarningMessage)}
	if len(out.Errors) > 0 {
		return r, &function.BuildError{Text: strings.Join(format(out.Errors, api.ErrorMessage), "\n")}
	}
	for _, f := range out.OutputFiles {
		if strings.HasSuffix(f.Path, ".map") {
			r.Map = f.Contents
		} else {
			r.Code = f.Contents
		}
	}
	return r, nil
}

// Close forgets what the Bundler keeps between builds. It must not be used afterwards.
func (b *Bundler) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ctx.Dispose()
}

// format writes messages as a developer reads them: text, file:line:column, code frame.
func format(ms []api.Message, kind api.MessageKind) []string {
	texts := api.FormatMessages(ms, api.FormatMessagesOptions{Kind: kind})
	for i, t := range texts {
		texts[i] = strings.TrimRight(t, "\n") + "\n"
	}
	return slices.Clip(texts)
}
