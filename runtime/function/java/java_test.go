package java_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"devstack/runtime/config"
	"devstack/runtime/function"
	"devstack/runtime/function/functiontest"
	"devstack/runtime/function/java"
)

func newEngine(t *testing.T) function.Engine {
	needsJava(t)
	return java.New(java.Options{Cache: t.TempDir()})
}

// needsJava leaves a test out where there is no JDK or no Maven, but not on CI.
func needsJava(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") != "" {
			t.Fatal(err)
		} else if err != nil {
			t.Skip(err)
		}
	}
}

const handlerSource = `
import com.amazonaws.services.lambda.runtime.*;
import java.util.*;

public class Handler implements RequestHandler<Map<String, Object>, Object> {
  static final String VERSION = Version.get();

  public Object handleRequest(Map<String, Object> event, Context context) {
    switch ((String) event.get("do")) {
      case "version": return VERSION;
      case "echo": return event.get("value");
      case "throw": throw new IllegalStateException("boom");
      case "sleep": try { Thread.sleep(60000); } catch (InterruptedException e) { } return null;
      case "exit": System.exit(1);
      case "env": String value = System.getenv((String) event.get("name")); return value == null ? "" : value;
      case "log": context.getLogger().log((String) event.get("line")); return null;
    }
    return null;
  }
}
`

// The client is AWS's own, unmodified.
func TestJava(t *testing.T) {
	functiontest.Run(t, newEngine, functiontest.Sample{
		Runtime: "java17",
		Handler: "Handler",
		Files: func(version string) map[string]string {
			return map[string]string{"Handler.java": handlerSource, "Version.java": fmt.Sprintf("class Version { static String get() { return %q; } }\n", version)}
		},
		Broken:    map[string]string{"Version.java": "class Version { static String get() { return 1 } }\n"},
		BadInit:   map[string]string{"Version.java": "class Version { static String get() { throw new IllegalStateException(\"bad init\"); } }\n"},
		ErrorType: "java.lang.IllegalStateException",
		Heavy:     true,
		Races:     3,
	})
}

type files = map[string]string

// project is a function of these files.
func project(t *testing.T, handler string, f files) *functiontest.Project {
	t.Helper()
	return functiontest.NewProject(t, newEngine(t), functiontest.Sample{
		Runtime: "java17", Handler: handler, Files: func(string) map[string]string { return maps.Clone(f) },
	}, false)
}

// Handlers of all kinds; which method of a class with an interface is called is recorded on AWS.
func TestHandlers(t *testing.T) {
	p := project(t, "x", files{
		"cloud/sample/WithInterface.java": `package cloud.sample;
import com.amazonaws.services.lambda.runtime.*;
public class WithInterface implements RequestHandler<Object, String> {
  public String handleRequest(Object o, Context c) { return "INTERFACE"; }
  public String handleRequestCustom(Object o, Context c) { return "CUSTOM"; }
}
`,
		"cloud/sample/Pojo.java": `package cloud.sample;
import com.amazonaws.services.lambda.runtime.*;
public class Pojo {
  public static class Order { private String id; private int count; public String getId() { return id; } public void setId(String v) { id = v; } public int getCount() { return count; } public void setCount(int v) { count = v; } }
  public Order handle(Order in, Context c) { in.setCount(in.getCount() + 1); return in; }
  public String about(Object in, Context c) { return String.join(" ", c.getFunctionName(), "" + c.getMemoryLimitInMB(), c.getInvokedFunctionArn(), "" + (c.getRemainingTimeInMillis() > 1000), System.getenv("AWS_EXECUTION_ENV"), c.getAwsRequestId()); }
}
`,
		"cloud/sample/Stream.java": `package cloud.sample;
import com.amazonaws.services.lambda.runtime.*;
import java.io.*;
public class Stream implements RequestStreamHandler {
  public void handleRequest(InputStream in, OutputStream out, Context c) throws IOException { out.write('['); in.transferTo(out); out.write(']'); }
}
`,
	})
	for _, tt := range []struct{ handler, event, want string }{
		{"cloud.sample.WithInterface", `{}`, `"INTERFACE"`},
		{"cloud.sample.WithInterface::handleRequest", `{}`, `"INTERFACE"`},
		{"cloud.sample.WithInterface::handleRequestCustom", `{}`, `"CUSTOM"`},
		{"cloud.sample.Pojo::handle", `{"id":"a","count":1}`, `{"count":2,"id":"a"}`},
		{"cloud.sample.Stream", `{"a":1}`, `[{"a":1}]`},
	} {
		p.Function.Handler = tt.handler
		p.Put(t)
		p.Want(t, tt.event, tt.want)
	}
	p.Function.Handler = "cloud.sample.Pojo::about"
	p.Put(t)
	out := p.Invoke(t, `{}`)
	if want := `"sample 128 arn:aws:lambda:us-east-1:000000000000:function:sample true AWS_Lambda_java17 ` + out.RequestID + `"`; string(out.Payload) != want {
		t.Errorf("answered %s, want %s", out.Payload, want)
	}
}

// The form of the body is documented: https://docs.aws.amazon.com/lambda/latest/dg/java-exceptions.html
func TestHowAHandlerFails(t *testing.T) {
	p := project(t, "F::fail", files{"F.java": `
import com.amazonaws.services.lambda.runtime.*;
public class F {
  public String fail(String in, Context c) {
    System.out.println("a line");
    c.getLogger().log("two\nlines");
    throw new IllegalArgumentException("no");
  }
}
`})
	p.Put(t)
	out := p.Invoke(t, `"x"`)
	var body struct {
		ErrorMessage, ErrorType string
		StackTrace              []string
	}
	if err := json.Unmarshal(out.Payload, &body); err != nil {
		t.Fatal(err)
	}
	if body.ErrorMessage != "no" || body.ErrorType != "java.lang.IllegalArgumentException" || len(body.StackTrace) == 0 || body.StackTrace[0] != "F.fail(F.java:7)" {
		t.Errorf("the body is %s", out.Payload)
	}
	if lines := p.Lines(out.RequestID); !slices.Contains(lines, "a line") || !slices.Contains(lines, "two\nlines") {
		t.Errorf("the log is %q", lines)
	}
	for _, tt := range []struct{ handler, typ, message string }{
		{"Nowhere", "java.lang.ClassNotFoundException", "Class not found: Nowhere"},
		{"F::other", "", "No public method named other with appropriate method signature found on class F"},
	} {
		p.Function.Handler = tt.handler
		_ = p.Manager.Put(t.Context(), p.Function)
		if _, typ, message := p.Fails(t, `{}`); typ != tt.typ || message != tt.message {
			t.Errorf("%s: %s: %s, want %s: %s", tt.handler, typ, message, tt.typ, tt.message)
		}
	}
}

func TestCompilersErrors(t *testing.T) {
	p := project(t, "F::f", files{"F.java": "public class F {\n  public String f(String in) { return 1; }\n}\n"})
	err := p.Manager.Put(t.Context(), p.Function)
	want := "F.java:2: error: incompatible types: int cannot be converted to String\n  public String f(String in) { return 1; }\n                                      ^\n1 error"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>sample</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>11</maven.compiler.source>
    <maven.compiler.target>11</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>aws-lambda-java-core</artifactId>
      <version>1.4.0</version>
    </dependency>
  </dependencies>
</project>
`

func mavenSource(version string) string {
	return "package example;\n\nimport com.amazonaws.services.lambda.runtime.*;\n\npublic class App implements RequestHandler<Object, String> {\n" +
		"  public String handleRequest(Object in, Context c) { return " + version + "; }\n}\n"
}

func TestMaven(t *testing.T) {
	p := project(t, "example.App", files{
		"pom.xml": pom, "src/main/java/example/App.java": mavenSource(`"first"`), "src/main/resources/text": "of a file",
	})
	p.Put(t)
	p.Want(t, `{}`, `"first"`)
	p.Save(t, "", files{"src/main/java/example/App.java": mavenSource(`"another"`)})
	p.Want(t, `{}`, `"another"`)
	p.Save(t, "", files{"src/main/java/example/App.java": mavenSource(`1`)})
	if _, typ, message := p.Fails(t, `{}`); typ != "Runtime.BuildError" || !strings.Contains(message, "src/main/java/example/App.java:[6,62] incompatible types: int cannot be converted to java.lang.String") {
		t.Errorf("%s: %s", typ, message)
	}
}

// A jar, a layer, a wrapper script, and a folder as Lambda unpacks it.
func TestWhatIsBuiltElsewhere(t *testing.T) {
	needsJava(t)
	dir, layer := t.TempDir(), t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tool := func(args ...string) {
		t.Helper()
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %s", args, out)
		}
	}
	write("Shared.java", "public class Shared { public static String value() { return \"shared\"; } }\n")
	write("F.java", "public class F { public String f(Object in) { return Shared.value() + \" \" + System.getenv(\"WRAPPED\"); } }\n")
	tool("javac", "-d", "classes", "F.java", "Shared.java")
	if err := os.MkdirAll(filepath.Join(layer, "java", "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	tool("jar", "cf", filepath.Join(layer, "java", "lib", "shared.jar"), "-C", "classes", "Shared.class")
	write("function/wrapper", "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n")
	write("folder/wrapper", "#!/bin/sh\nexport WRAPPED=also\nexec \"$@\"\n")
	tool("jar", "cf", "function/f.jar", "-C", "classes", "F.class")
	tool("cp", "classes/F.class", "folder/F.class")
	for source, want := range map[string]string{"function/f.jar": `"shared yes"`, "folder": `"shared also"`} {
		p := functiontest.NewProject(t, newEngine(t), functiontest.Sample{Runtime: "java17", Handler: "F::f", Files: func(string) map[string]string { return nil }}, false)
		p.Function.Source = filepath.Join(dir, source)
		p.Function.Layers = []string{layer}
		p.Function.Environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/var/task/wrapper"
		p.Put(t)
		p.Want(t, `{}`, want)
	}
}

func TestMistakes(t *testing.T) {
	needsJava(t)
	dir := t.TempDir()
	gradle := t.TempDir()
	if err := os.WriteFile(filepath.Join(gradle, "build.gradle"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ source, handler, want string }{
		{dir, "", "needs a handler"},
		{filepath.Join(dir, "nothing.jar"), "F", "nothing.jar does not exist"},
		{gradle, "F", "devstack does not run Gradle"},
	} {
		e := newEngine(t)
		_, err := e.Build(t.Context(), &config.Function{Name: "f", Runtime: "java17", Source: tt.source, Handler: tt.handler}, nil)
		if mistake, ok := err.(*function.BuildError); !ok || !regexp.MustCompile(tt.want).MatchString(mistake.Text) {
			t.Errorf("%s: %v, want %s", tt.source, err, tt.want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	file := filepath.Join(dir, "F.java")
	if err := os.WriteFile(file, []byte("class F { public String f(String s) { return s; } }"), 0o644); err != nil {
		t.Fatal(err)
	}
	home := os.Getenv("JAVA_HOME")
	if home == "" {
		home = "/usr/lib/jvm/default-java"
		if found, _ := filepath.Glob("/usr/lib/jvm/*/bin/javac"); len(found) > 0 {
			home = filepath.Dir(filepath.Dir(found[0]))
		}
	}
	t.Setenv("JAVA_HOME", home)
	_, err := java.New(java.Options{Cache: t.TempDir()}).Build(t.Context(), &config.Function{Name: "f", Runtime: "java17", Source: file, Handler: "F::f"}, nil)
	if err == nil || !strings.Contains(err.Error(), "add the dependency com.amazonaws:aws-lambda-java-runtime-interface-client") {
		t.Errorf("without the client: %v", err)
	}
}
