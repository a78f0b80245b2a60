package wire

import (
	"reflect"
	"testing"
)

func TestCopyFields(t *testing.T) {
	type model struct {
		Name    *string
		Payload []byte
		Count   *int32
	}
	name, count := "n", int32(3)
	for _, tt := range []struct {
		name   string
		from   any
		to     any // a pointer
		all    bool
		want   any
		copied bool
	}{
		{"a caller's values become pointers", struct {
			Name    string
			Payload []byte
		}{"n", []byte("p")}, &model{}, true, model{Name: &name, Payload: []byte("p")}, true},
		{"pointers become a caller's values, nil the zero value", model{Name: &name}, &struct {
			Name  string
			Count int32
		}{}, false, struct {
			Name  string
			Count int32
		}{"n", 0}, true},
		{"the same types are taken over", model{Count: &count}, &struct{ Count *int32 }{}, false, struct{ Count *int32 }{&count}, true},
		{"another type is left to JSON", struct{ Count string }{"3"}, &model{}, true, model{}, false},
		{"a member that is not the model's is left to JSON", struct{ Nome string }{"n"}, &model{}, true, model{}, false},
		{"a structure with tags is left to JSON", struct {
			Name string `json:",omitempty"`
		}{}, &model{}, true, model{}, false},
		{"an unexported field is left to JSON", struct{ name string }{}, &model{}, true, model{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to := reflect.ValueOf(tt.from), reflect.ValueOf(tt.to).Elem()
			all := to.Type()
			if tt.all {
				all = from.Type()
			}
			if got := copyFields(to, from, all); got != tt.copied {
				t.Errorf("copied: %v", got)
			}
			if !reflect.DeepEqual(to.Interface(), tt.want) {
				t.Errorf("got %+v, want %+v", to, tt.want)
			}
		})
	}
}
