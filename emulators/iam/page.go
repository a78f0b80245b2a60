package iam

import (
	"encoding/base64"
	"slices"
)

// pageSize is how many items a page has if MaxItems, 1 to 1000, does not say otherwise.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
const pageSize = 100

// msgBadMarker is a guess.
const msgBadMarker = "Invalid Marker."

// page returns the items that come after a marker, and what the answer says of the rest: whether there is any, and the
// marker to go on with. items are in the order of their places, which no two share. A marker stays good when items come and
// go.
func page[T any](items []T, place func(*T) string, marker *string, max *int32) (part []T, truncated *bool, next *string, err error) {
	if marker != nil {
		after, err := base64.StdEncoding.DecodeString(*marker)
		if err != nil {
			return nil, nil, nil, errValidation(msgBadMarker)
		}
		first := slices.IndexFunc(items, func(item T) bool { return place(&item) > string(after) })
		if first < 0 {
			first = len(items)
		}
		items = items[first:]
	}
	n := pageSize
	if max != nil {
		n = int(*max)
	}
	if len(items) <= n {
		return append([]T{}, items...), new(false), nil, nil
	}
	return items[:n], new(true), new(base64.StdEncoding.EncodeToString([]byte(place(&items[n-1])))), nil
}
