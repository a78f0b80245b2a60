// Package rapid is the init of a function's container: the first program in it, which starts the external extensions and the
// runtime, hands on what they print, and says how they ended. On Lambda a program of AWS's does that, and is at the same place. It
// speaks with the daemon over one connection to the sandbox's own server, see Frame.
//
// It is the daemon's own executable, which the container sees at Path, started with Verb. The memory of a container is its function's,
// so this package imports little, and is the first of the program's to be initialised: what comes after it never is.
package rapid

// Verb is the hidden argument with which the program becomes an init. Behind it are the address of the sandbox's server, and the
// secret by which the server knows its init.
const Verb = "__init"

// Path is where AWS has its init: seen in lists of processes on Lambda ("1 0 /var/rapid/init --enable-ex…").
const Path = "/var/rapid/init"

// Upgrade is the request by which an init begins to speak with the daemon, the protocol that it asks for, and the header with the secret.
const (
	Upgrade  = "/devstack/init"
	Protocol = "devstack-init"
	Secret   = "Devstack-Init-Secret"
)

// Extensions is where external extensions are.
//
// https://docs.aws.amazon.com/lambda/latest/dg/extensions-configuration.html#invocation-extensions-images
const Extensions = "/opt/extensions"
