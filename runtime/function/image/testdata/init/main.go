// Command init is a program that can be the init of a container, as the daemon is: package rapid alone.
package main

import _ "devstack/runtime/function/rapid"

func main() { panic("this is no init's command line") }
