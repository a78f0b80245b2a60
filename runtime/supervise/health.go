package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Check is how an instance shows that it is healthy.
type Check struct {
	URL       string        // of the instance, "http://127.0.0.1:8080"
	Path      string        // is answered with 2xx; "": connections are accepted
	Forwarder time.Duration // a connection counts once it has been open so long: a forwarder accepts before the program does
}

const (
	firstLook = 5 * time.Millisecond // each further one doubles it
	lastLook  = 200 * time.Millisecond
	patience  = 2 * time.Second // with an answer to one check
)

// checker follows no redirect and keeps no connection: what answers must be the instance itself, now.
var checker = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Healthy waits until an instance passes a check, looking often at first. It fails if the instance ends before, or, when
// ctx does, with what the last look saw that was not cut off.
func Healthy(ctx context.Context, inst Instance, c Check) error {
	wait := firstLook
	var failure error
	for {
		seen := c.look(ctx)
		if seen == nil {
			return nil
		}
		if failure == nil || ctx.Err() == nil {
			failure = seen
		}
		timer := time.NewTimer(wait)
		select {
		case <-inst.Done():
			timer.Stop()
			return early(inst.Err())
		case <-ctx.Done():
			timer.Stop()
			return failure
		case <-timer.C:
		}
		wait = min(2*wait, lastLook)
	}
}

// early says that an instance ended before it was ready.
func early(err error) error {
	if err == nil {
		err = errors.New("exited with status 0")
	}
	return fmt.Errorf("%w before it was ready", err)
}

func (c Check) look(ctx context.Context) error {
	if c.Path == "" {
		return c.connect(ctx)
	}
	target := c.URL + "/" + strings.TrimPrefix(c.Path, "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	resp, err := checker.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("GET %s answered %s", target, resp.Status)
	}
	return nil
}

// connect sees whether the instance accepts a connection and does not close it at once.
func (c Check) connect(ctx context.Context) error {
	u, err := url.Parse(c.URL)
	if err != nil {
		return err
	}
	d := net.Dialer{Timeout: patience}
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return fmt.Errorf("nothing accepts connections on %s", u.Host)
	}
	defer conn.Close()
	if c.Forwarder == 0 {
		return nil
	}
	conn.SetReadDeadline(time.Now().Add(c.Forwarder))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("connections to %s are accepted but closed at once", u.Host)
	}
	return nil
}
