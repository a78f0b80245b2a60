package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// loopback is where everything of a stack listens.
const loopback = "127.0.0.1"

var (
	accountPattern = lazy(`^[0-9]{12}$`)
	regionPattern  = lazy(`^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`)
)

// declareStack makes what stack.name and the like refer to.
func (l *loader) declareStack() {
	l.stackValue = &thunk{name: "stack", run: func() (cty.Value, bool) {
		if l.stackBlock == nil {
			return cty.NilVal, false
		}
		f := newFields(l.stackBlock, schemaOf("stack"))
		l.decode(f, nil, map[ID]bool{}, false)
		s := l.stack
		s.Name, s.Region, s.Account = f.label, f.text("region"), f.text("account")
		s.Port, s.Sync, s.TableDelay = f.integer("port"), f.text("durability") == "fsync", f.integer("table_delay")
		if s.Region != "" && !regionPattern().MatchString(s.Region) {
			l.add(f.rangeOf("region"), "Invalid region", "%q is not the name of a region, such as us-east-1", s.Region)
		}
		if s.Account != "" && !accountPattern().MatchString(s.Account) {
			l.add(f.rangeOf("account"), "Invalid account", "%q is not an account: 12 digits in quotes", s.Account)
		}
		if !f.broken("port") { // taken note of, so that nothing else is given it
			if _, err := l.opts.Allocator.Port(ID{"stack", s.Name}, s.Port); err != nil {
				l.add(f.rangeOf("port"), "No port", "%v", err)
			}
		}
		return cty.ObjectVal(map[string]cty.Value{
			"name": cty.StringVal(s.Name), "region": cty.StringVal(s.Region), "account": cty.StringVal(s.Account),
			"endpoint": cty.StringVal(s.Endpoint()),
		}), true
	}}
}

// build evaluates everything that is declared and makes the resources.
func (l *loader) build() {
	if l.stackBlock != nil {
		l.force(l.stackValue, l.stackBlock.DefRange())
	}
	for _, all := range []map[string]*thunk{l.variables, l.locals} {
		for _, name := range keysOf(all) {
			l.force(all[name], hcl.Range{})
		}
	}
	// Blocks that say their port come first, so that no port is chosen that one of them wants.
	first := func(d *declared) bool { return d.block.Body.Attributes["port"] != nil }
	for _, withPort := range []bool{true, false} {
		for _, d := range l.order {
			if first(d) == withPort {
				l.force(&d.thunk, d.block.DefRange())
			}
		}
	}
	for _, d := range l.order {
		for _, i := range d.instances {
			if i.fields == nil {
				continue
			}
			l.decode(i.fields, i.each, i.needs, false)
			if r := l.resource(i); r != nil {
				l.stack.Resources = append(l.stack.Resources, r)
			}
		}
	}
	l.checkStack()
}

// export evaluates the early arguments of an instance and makes what references to it yield.
func (l *loader) export(i *instance) (cty.Value, bool) {
	i.fields = newFields(i.block, i.schema)
	if !l.checkEach(i) {
		return cty.NilVal, false
	}
	l.decode(i.fields, i.each, i.needs, true)
	exports, err := l.exports(i)
	if err != nil {
		l.add(i.block.DefRange(), "No port", "%v", err)
		return cty.NilVal, false
	}
	i.exports = exports
	for name, v := range i.fields.values {
		if v == nil && i.schema.attribute(name).early {
			return cty.NilVal, false // the block's other mistakes are still reported; references to it would only repeat this one
		}
	}
	return cty.ObjectVal(exports).Mark(i.id), true
}

// checkEach reports a key of for_each that cannot become part of a name.
func (l *loader) checkEach(i *instance) bool {
	if i.each == nil || i.each.key != "" && len(i.each.key) <= 128 {
		return true
	}
	l.add(i.forEach.Expr.Range(), "Invalid for_each", "a key must have 1 to 128 characters")
	return false
}

// name returns the name of the resource in AWS: as given, or of the label and the key.
func (i *instance) name() string {
	if i.fields.given("name") {
		return i.fields.text("name")
	}
	name := i.block.Labels[0]
	if i.each != nil {
		name += "-" + i.each.key
	}
	if i.schema.name == "cache" { // whose names take neither
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	}
	return name
}

// arn returns the ARN of a resource of the stack.
func (l *loader) arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, l.stack.Region, l.stack.Account, resource)
}

// exports allocates the instance's port or label and returns what references to it can select.
func (l *loader) exports(i *instance) (map[string]cty.Value, error) {
	name := i.name()
	values := map[string]cty.Value{"name": cty.StringVal(name)}
	switch i.schema.name {
	case "table":
		values["arn"] = cty.StringVal(l.arn("dynamodb", "table/"+name))
		if i.fields.given("stream") {
			label := l.opts.Allocator.StreamLabel(i.id)
			values["stream_arn"] = cty.StringVal(l.arn("dynamodb", "table/"+name+"/stream/"+label))
		}
		return values, nil
	case "function":
		values["arn"] = cty.StringVal(l.arn("lambda", "function:"+name))
		if slices.ContainsFunc(i.block.Body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == "url" }) {
			values["url"] = cty.StringVal(l.functionAddress(l.arn("lambda", "function:"+name)))
		}
		return values, nil
	case "state_machine":
		values["arn"] = cty.StringVal(l.arn("states", "stateMachine:"+name))
		return values, nil
	}
	scheme, wanted := "http", 0
	switch i.schema.name {
	case "cache":
		scheme, wanted = "redis", i.fields.integer("port")
	case "api":
		wanted = i.fields.integer("port")
	}
	port, err := l.opts.Allocator.Port(i.id, wanted)
	if err != nil {
		return nil, err
	}
	values["port"] = cty.NumberIntVal(int64(port))
	values["host"] = cty.StringVal(loopback)
	values["url"] = cty.StringVal(scheme + "://" + loopback + ":" + strconv.Itoa(port))
	for export := range values {
		if !i.schema.exported(export) {
			delete(values, export)
		}
	}
	return values, nil
}

// exportedText returns an export that is a string.
func (i *instance) exportedText(name string) string {
	v := i.exports[name]
	if v == cty.NilVal {
		return ""
	}
	return v.AsString()
}

// exportedPort returns the export "port".
func (i *instance) exportedPort() int {
	n, _ := i.exports["port"].AsBigFloat().Int64()
	return int(n)
}

// resource makes the typed resource of an instance and reports what is wrong with it; nil if it could not be referred
// to, which has been reported.
func (l *loader) resource(i *instance) Resource {
	if i.exports == nil {
		return nil
	}
	switch i.schema.name {
	case "table":
		return l.table(i)
	case "cache":
		return l.cache(i)
	case "function":
		return l.function(i)
	case "service":
		return l.service(i)
	case "state_machine":
		return l.stateMachine(i)
	default:
		return l.api(i)
	}
}

// base returns the Block of an instance. Its Needs are complete once everything is decoded.
func (i *instance) base() Block {
	needs := make([]ID, 0, len(i.needs))
	for id := range i.needs {
		needs = append(needs, id)
	}
	slices.SortFunc(needs, func(a, b ID) int { return strings.Compare(a.String(), b.String()) })
	return Block{ID: i.id, Needs: needs, Range: i.block.DefRange()}
}

// find returns the instance of an ID.
func (l *loader) find(id ID) *instance {
	for _, d := range l.resources[id.Type] {
		for _, i := range d.instances {
			if i.id == id {
				return i
			}
		}
	}
	return nil
}

// checkStack reports what only the whole shows: names and ports given twice, and cycles.
func (l *loader) checkStack() {
	l.checkPorts()
	l.checkNames()
	l.checkCycles()
}

// checkPorts reports two listeners on one port.
func (l *loader) checkPorts() {
	holders := map[int]string{l.stack.Port: "the AWS endpoint (stack)"}
	for _, r := range l.stack.Resources {
		port, field := 0, "port"
		switch r := r.(type) {
		case *Cache:
			port = r.Port
		case *API:
			port = portOf(r.URL)
		case *Service:
			port = r.ProxyPort
			if r.Port != 0 && r.Image == "" && r.Build == "" {
				l.claim(holders, r, r.Port, field) // a process listens on this machine, a container on its own
			}
		}
		if port != 0 {
			l.claim(holders, r, port, field)
		}
	}
}

func (l *loader) claim(holders map[int]string, r Resource, port int, field string) {
	if holder := holders[port]; holder != "" {
		l.add(l.find(r.Base().ID).fields.rangeOf(field), "Duplicate port", "port %d of %s is that of %s already", port, r.Base().ID, holder)
		return
	}
	holders[port] = r.Base().ID.String()
}

// portOf returns the port of a URL that we made.
func portOf(url string) int {
	port, _ := strconv.Atoi(url[strings.LastIndexByte(url, ':')+1:])
	return port
}

// checkNames reports two resources of one type with the same name in AWS.
func (l *loader) checkNames() {
	holders := map[string]ID{}
	for _, r := range l.stack.Resources {
		i := l.find(r.Base().ID)
		if i.fields.broken("name") {
			continue
		}
		key := i.schema.name + " " + i.name()
		if first, taken := holders[key]; taken {
			l.add(i.fields.rangeOf("name"), "Duplicate name", "%s and %s are both named %q", first, i.id, i.name())
			continue
		}
		holders[key] = i.id
	}
}

// checkCycles reports resources that need each other.
func (l *loader) checkCycles() {
	const visiting, visited = 1, 2
	state := map[ID]int{}
	var path []string
	var visit func(r Resource)
	visit = func(r Resource) {
		b := r.Base()
		path = append(path, b.ID.String())
		defer func() { path = path[:len(path)-1] }()
		state[b.ID] = visiting
		for _, id := range b.Needs {
			next := l.stack.Resource(id)
			switch {
			case next == nil:
			case state[id] == 0:
				visit(next)
			case state[id] == visiting:
				cycle := append(slices.Clone(path[slices.Index(path, id.String()):]), id.String())
				l.add(next.Base().Range, "Cycle", "%s needs itself: %s", id, strings.Join(cycle, " → "))
			}
		}
		state[b.ID] = visited
	}
	for _, r := range l.stack.Resources {
		if state[r.Base().ID] == 0 {
			visit(r)
		}
	}
}
