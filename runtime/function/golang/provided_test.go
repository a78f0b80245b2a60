package golang_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"devstack/runtime/function/functiontest"
)

// What Lambda answers where a bootstrap cannot be run; the function is mended by a save, or by chmod.
func TestABootstrapThatCannotBeRun(t *testing.T) {
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	for _, tt := range []struct {
		name, content string
		mode          os.FileMode
		want          string // of the error, behind the place
		hint          string // in the log
	}{
		{"without the permission", "#!/bin/sh\n", 0o644, ": permission denied", "chmod +x"},
		{"for another machine", elf(other), 0o755, ": exec format error", "is not a program for this machine"},
		{"a script without an interpreter", "echo hello\n", 0o755, ": exec format error", "#!/bin/sh"},
		{"a script with Windows' line ends", "#!/bin/sh\r\necho hello\r\n", 0o755, ": no such file or directory", "as on Windows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{
				Runtime: "provided.al2023", Files: func(string) map[string]string { return map[string]string{"data": "1"} },
			}, false)
			path := filepath.Join(p.Dir, "bootstrap")
			if err := os.WriteFile(path, []byte(tt.content), tt.mode); err != nil {
				t.Fatal(err)
			}
			p.Put(t)
			out, typ, message := p.Fails(t, `{}`)
			if want := "RequestId: " + out.RequestID + " Error: fork/exec /var/task/bootstrap" + tt.want; typ != "Runtime.InvalidEntrypoint" || message != want {
				t.Fatalf("%s: %s\nwant %s", typ, message, want)
			}
			if said := strings.Join(p.Lines(""), "\n"); !strings.Contains(said, tt.hint) {
				t.Errorf("the log says %q, and nothing of %q", said, tt.hint)
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			// Renamed into its place: one that is being written cannot be run.
			if err := os.WriteFile(path+"~", []byte("#!/bin/sh\nexec '"+self+"' bootstrap 7\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+"~", path); err != nil {
				t.Fatal(err)
			}
			p.Want(t, `{"do":"version"}`, `"7"`)
		})
	}
}

// A custom runtime may be a layer, whose bootstrap runs what is in the function's folder.
func TestABootstrapInALayer(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: "provided.al2", Files: func(v string) map[string]string { return map[string]string{"version": v} },
	}, false)
	for n, script := range []string{"exit 1", "exec '" + self + "' bootstrap $(cat version)"} {
		layer := filepath.Join(t.TempDir(), "layer")
		if err := os.MkdirAll(layer, 0o755); err != nil {
			t.Fatal(n, err)
		}
		if err := os.WriteFile(filepath.Join(layer, "bootstrap"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		p.Function.Layers = append(p.Function.Layers, layer)
	}
	p.Put(t)
	p.Want(t, `{"do":"version"}`, `"1"`)
	p.Save(t, "2")
	p.Want(t, `{"do":"version"}`, `"2"`)
}

// The working directory is the task root, and _HANDLER is what the stack says.
func TestABootstrapFindsItsPlaceAndItsHandler(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: "provided.al2023", Handler: "module.function",
		Files: func(v string) map[string]string {
			return map[string]string{"bootstrap": "#!/bin/sh\nWHERE=$(pwd) exec '" + self + "' bootstrap 1\n"}
		},
	}, false)
	p.Put(t)
	p.Want(t, `{"do":"env","name":"WHERE"}`, quote(p.Dir))
	p.Want(t, `{"do":"env","name":"_HANDLER"}`, `"module.function"`)
	p.Want(t, `{"do":"env","name":"LAMBDA_TASK_ROOT"}`, quote(p.Dir))
}

// elf is the beginning of a program for a machine.
func elf(arch string) string {
	machine := map[string]byte{"amd64": 62, "arm64": 183}[arch] // e_machine, https://man7.org/linux/man-pages/man5/elf.5.html
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	header[16], header[18], header[20], header[52] = 2, machine, 1, 64
	return string(header)
}
