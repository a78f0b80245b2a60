package wire

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// format is how a field's timestamp is written, where neither it nor its shape says: fallback.
func (f *field) format(fallback Format) Format {
	if f.Member != nil && f.TimestampFormat != DefaultFormat {
		return f.TimestampFormat
	}
	if s := f.plan.shape; s != nil && s.TimestampFormat != DefaultFormat {
		return s.TimestampFormat
	}
	return fallback
}

// appendTime writes a timestamp. Fractions are milliseconds at most: no AWS service gives more.
func appendTime(b []byte, t time.Time, f Format) []byte {
	switch f {
	case DateTime:
		t = t.UTC()
		b = t.AppendFormat(b, "2006-01-02T15:04:05")
		if ms := t.Nanosecond() / 1e6; ms != 0 {
			b = append(b, '.')
			b = append(b, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10))
		}
		return append(b, 'Z')
	case HTTPDate:
		return t.UTC().AppendFormat(b, "Mon, 02 Jan 2006 15:04:05 GMT")
	}
	ms := t.UnixMilli()
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if frac := ms % 1000; frac != 0 {
		b = append(b, '.', byte('0'+frac/100))
		if frac%100 != 0 {
			b = append(b, byte('0'+frac/10%10))
		}
		if frac%10 != 0 {
			b = append(b, byte('0'+frac%10))
		}
	}
	return b
}

// parseTime reads a timestamp in its format, or in any other that cannot be mistaken: AWS reads more than it promises.
func parseTime(s string, f Format) (time.Time, bool) {
	if f == EpochSeconds {
		if t, ok := parseEpoch(s); ok {
			return t, true
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "Mon, 02 Jan 2006 15:04:05.999999999 GMT", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), inYears(t)
		}
	}
	return parseEpoch(s)
}

// parseEpoch reads seconds since 1970, to the nanosecond.
func parseEpoch(s string) (time.Time, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.ContainsAny(frac, "eE+-") {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(x) || math.Abs(x) > 1e12 {
			return time.Time{}, false
		}
		t := epoch(x)
		return t, inYears(t)
	}
	var nsec int64
	if frac != "" {
		if nsec, err = strconv.ParseInt((frac + "000000000")[:9], 10, 64); err != nil {
			return time.Time{}, false
		}
		if whole[0] == '-' {
			nsec = -nsec
		}
	}
	t := time.Unix(sec, nsec).UTC()
	return t, inYears(t)
}

// epoch makes a time of seconds since 1970, to the microsecond, which is what a double of our time can hold.
func epoch(x float64) time.Time {
	sec, frac := math.Modf(x)
	return time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000).UTC()
}

// inYears reports whether a time has a year that can be written.
func inYears(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }
