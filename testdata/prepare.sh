#!/usr/bin/env bash
# Makes the tools of the tests ready, then runs a command with them:
#
#     testdata/prepare.sh make check
#
# What is missing is installed on Debian as root, by apt-get; elsewhere it is named, with the tests that are left out. Python's and
# Node's packages go into testdata/.cache and node_modules folders of this repository, never into the system's. A Docker engine is
# started if none answers, and ended after the command if it was.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=$PWD/testdata/.cache
mkdir -p "$cache"
log=$cache/prepare.log
: >"$log"

say() { echo "prepare: $*" >&2; }

has() { command -v "$1" >/dev/null 2>&1; }

# quietly runs a command, and shows what it printed only if it fails.
quietly() {
	if ! "$@" >>"$log" 2>&1; then
		say "$* failed:"
		tail -n 20 "$log" >&2
		return 1
	fi
}

# install PACKAGE... by apt-get, if this is a Debian whose root we are.
install() {
	[ "$(id -u)" = 0 ] && [ -f /etc/debian_version ] && has apt-get || return 1
	say "installing $*"
	if [ -z "${updated:-}" ]; then
		quietly apt-get update || return 1
		updated=yes
	fi
	quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# want TEST "WHAT IT IS NEEDED FOR" PACKAGE... makes TEST true by installing packages.
want() {
	local test=$1 what=$2
	shift 2
	$test || { install "$@" && $test; } || {
		say "$* cannot be installed here, so these tests are left out: $what"
		return 1
	}
}

has_compiler() { has gcc || has cc; }
has_python() { python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1; }
has_node() { node -e 'process.exit(Number(process.versions.node.split(".")[0] < 18))' >/dev/null 2>&1; }
has_npm() { has npm; }
has_ruby() { has ruby; }
has_java() { has java && has javac; }
has_maven() { has mvn; }
has_builder() { has g++ && has make && has cmake; }
has_cargo() { has cargo; }
has_docker() { docker version >/dev/null 2>&1 || has dockerd; }

# The SDK for Python and a Redis client, in an environment that comes first in PATH: devstack's Python functions find it as well.
python_packages() {
	local wanted=testdata/sdk/python/requirements.txt venv=$cache/python
	if ! cmp -s "$wanted" "$venv/installed" || ! "$venv/bin/python3" -c '' 2>/dev/null; then
		say "installing Python's packages"
		rm -rf "$venv"
		quietly python3 -m venv "$venv" && quietly "$venv/bin/pip" install --disable-pip-version-check -r "$wanted" || return 1
		cp "$wanted" "$venv/installed"
	fi
	export PATH="$venv/bin:$PATH"
}

# The SDK for JavaScript and the packages that functions use, where the tests and the example look for them.
node_packages() {
	local dir
	for dir in testdata/sdk/js examples/node runtime/function/js/testdata/packages; do
		if ! cmp -s "$dir/package-lock.json" "$dir/node_modules/.installed"; then
			say "installing Node's packages in $dir"
			(cd "$dir" && quietly npm ci --no-audit --no-fund) || return 1
			cp "$dir/package-lock.json" "$dir/node_modules/.installed"
		fi
	done
}

# Delve, for the tests of functions that are debugged, in a folder of its own that comes first in PATH.
delve() {
	local wanted=v1.27.2 bin=$cache/delve
	if [ "$(cat "$bin/installed" 2>/dev/null)" != "$wanted" ]; then
		say "installing Delve $wanted"
		quietly env GOBIN="$bin" GOFLAGS= CGO_ENABLED=0 go install "github.com/go-delve/delve/cmd/dlv@$wanted" || return 1
		echo "$wanted" >"$bin/installed"
	fi
	export PATH="$bin:$PATH"
}

# made DIR "INPUTS" is true if what DIR has was made of these files as they are now.
made() {
	local dir=$1 inputs=$2
	# shellcheck disable=SC2086
	[ -f "$dir/.made" ] && [ "$(cat $inputs | cksum)" = "$(cat "$dir/.made")" ]
}

# AWS's own runtime clients, each with a function of the tests: runtimeapi's tests run them.
client() {
	local name=$1 inputs=$2 dir=$cache/clients/$1
	made "$dir" "$inputs" && return
	say "making AWS's runtime client for $name"
	rm -rf "$dir"
	mkdir -p "$dir"
	"client_$name" "$dir" || return 1
	# shellcheck disable=SC2086
	cat $inputs | cksum >"$dir/.made"
}

client_python() {
	cp testdata/clients/python/client.py "$1/" &&
		quietly python3 -m pip install --disable-pip-version-check --no-compile --target "$1" -r testdata/clients/python/requirements.txt
}

# It compiles a part in C++, and downloads Node's headers for that if they are not installed.
client_node() {
	cp testdata/clients/node/* "$1/" && (cd "$1" && quietly npm ci --no-audit --no-fund) && [ -f "$1/node_modules/aws-lambda-ric/rapid-client.node" ]
}

client_java() {
	quietly mvn -q -B -f testdata/clients/java/pom.xml dependency:copy-dependencies -DoutputDirectory="$1" &&
		quietly javac -d "$1" -cp "$1/*" testdata/clients/java/Client.java
}

client_rust() {
	cp -R testdata/clients/rust "$1/source" && quietly cargo build --manifest-path "$1/source/Cargo.toml" &&
		cp "$1/source/target/debug/bootstrap" "$1/" && rm -rf "$1/source"
}

runtime_clients() {
	local in=testdata/clients
	has python3 && { client python "$in/python/requirements.txt $in/python/client.py" || say "so the tests with AWS's runtime client for Python are left out"; }
	if has npm && want has_builder "AWS's runtime client for Node" g++ make cmake autoconf automake libtool; then
		client node "$in/node/package-lock.json $in/node/client.mjs" || say "so the tests with AWS's runtime client for Node are left out"
	fi
	if want has_java "AWS's runtime client for Java" default-jdk-headless && want has_maven "the same" maven; then
		client java "$in/java/pom.xml $in/java/Client.java" || say "so the tests with AWS's runtime client for Java are left out"
	fi
	if want has_cargo "AWS's runtime client for Rust" cargo; then
		client rust "$in/rust/Cargo.toml $in/rust/src/main.rs" || say "so the tests with AWS's runtime client for Rust are left out"
	fi
}

# start_docker starts an engine if none answers. In a machine that cannot make its own firewall rules and overlay mounts, the
# engine does without: images FROM scratch on published ports still work.
start_docker() {
	docker version >/dev/null 2>&1 && return
	local options
	for options in "" "--iptables=false --ip6tables=false --storage-driver=vfs"; do
		say "starting dockerd $options"
		# shellcheck disable=SC2086
		setsid dockerd --host unix:///var/run/docker.sock $options >"$cache/dockerd.log" 2>&1 &
		dockerd=$!
		for _ in $(seq 150); do
			docker version >/dev/null 2>&1 && return
			kill -0 "$dockerd" 2>/dev/null || break
			sleep 0.2
		done
		stop_docker
	done
	say "dockerd does not start, so the tests with containers are left out:"
	tail -n 5 "$cache/dockerd.log" >&2
}

stop_docker() {
	[ -n "${dockerd:-}" ] || return 0
	kill "$dockerd" 2>/dev/null || true
	wait "$dockerd" 2>/dev/null || true
	dockerd=
}

want has_compiler "the race detector's (go test -race needs a C compiler)" gcc libc6-dev || true
delve || say "so the tests with a debugger for Go functions are left out"
if want has_python "Python functions, the SDK for Python" python3 python3-venv; then
	python_packages || say "so the tests of Python functions and of the SDK for Python are left out"
fi
if want has_node "Node functions, the SDK for JavaScript" nodejs && want has_npm "the same" npm; then
	node_packages || say "so the tests of Node functions and of the SDK for JavaScript are left out"
fi
want has_ruby "Ruby functions" ruby || true
if want has_java "Java functions" default-jdk-headless && want has_maven "the same" maven; then
	# What the tests' projects need is fetched once; the first build would do it too.
	client=com.amazonaws:aws-lambda-java-runtime-interface-client:2.10.1
	[ -d "$HOME/.m2/repository/com/amazonaws/aws-lambda-java-runtime-interface-client/2.10.1" ] ||
		quietly mvn -q -B dependency:get -Dartifact=$client || say "so the tests of Java functions fail"
fi
runtime_clients
if want has_docker "services and functions in containers" docker.io; then
	trap stop_docker EXIT
	start_docker
fi

status=0
"$@" || status=$?
exit "$status"
