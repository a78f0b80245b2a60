package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// Messages in the service's words, recorded answers.
const (
	msgUpdateImage  = "Please provide ImageUri when updating a function with packageType %s."
	msgRevision     = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
	msgBothSources  = "Please do not provide other FunctionCode parameters when providing a ZipFile." // a guess
	msgDeclaredCode = "The code of function %s is what is edited at the place that the stack's files name: it is live once it is saved, and is not uploaded."
)

// UpdateFunctionCode replaces the code of $LATEST. Its LastUpdateStatus is InProgress until the new code answers. With DryRun nothing
// but the checks is done. ResourceConflictException while another update is in progress.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
func (s *Service) UpdateFunctionCode(ctx context.Context, in *UpdateFunctionCodeInput) (*UpdateFunctionCodeOutput, error) {
	t, v, err := s.find(ctx, *in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if v.declared != nil {
		return nil, byUser(errInvalidParameterValueException(msgDeclaredCode, t.Name))
	}
	if in.PublishTo != nil {
		return nil, wire.NotImplemented("lambda.UpdateFunctionCode: the parameter PublishTo is not emulated")
	}
	next := *v
	release, err := s.replaceCode(&next, in)
	if err != nil {
		return nil, err
	}
	dry := in.DryRun != nil && *in.DryRun
	s.archives.pin(v.Code.Archive) // it runs until the new code does
	replaced := false
	defer func() {
		release()
		if !replaced {
			s.archives.unpin(v.Code.Archive)
			s.sweepLater() // of what is not used after all
		}
	}()
	publish := in.Publish != nil && *in.Publish
	done := func() { s.archives.unpin(v.Code.Archive) }
	c, err := s.update(ctx, t, in.RevisionId, publish, dry, done, func(tx *store.Tx, f *function) error {
		f.Latest.Code = next.Code
		if len(in.Architectures) > 0 {
			f.Latest.Architecture = in.Architectures[0]
		}
		return checkSignature(tx, f)
	})
	if err != nil {
		return nil, err
	}
	replaced = !dry
	out := UpdateFunctionCodeOutput(*c)
	return &out, nil
}

// replaceCode gives a version other code. release is to be called once the version is stored.
func (s *Service) replaceCode(v *version, in *UpdateFunctionCodeInput) (release func(), err error) {
	if v.Package == PackageTypeImage {
		if in.ImageUri == nil {
			return nil, byUser(errInvalidParameterValueException(msgUpdateImage, v.Package))
		}
		v.Code = imageCode(*in.ImageUri)
		return func() {}, nil
	}
	if in.ImageUri != nil {
		return nil, byUser(errInvalidParameterValueException(msgImageOfZip, "updating", v.Package))
	}
	v.Code, release, err = s.takeArchive(in.ZipFile, in.S3Bucket)
	v.Code.KMSKey = deref(in.SourceKMSKeyArn)
	return release, err
}

// takeArchive keeps the archive of a request. release is to be called once it is stored who uses it.
func (s *Service) takeArchive(content []byte, bucket *string) (c code, release func(), err error) {
	switch {
	case content != nil && bucket != nil:
		return c, nil, byUser(errInvalidParameterValueException(msgBothSources))
	case bucket != nil:
		return c, nil, wire.NotImplemented("lambda: code in S3 is not emulated, as s3 is not yet; send it as ZipFile")
	case content == nil:
		return c, nil, byUser(errInvalidParameterValueException(msgNoCode))
	}
	return s.archives.keep(content)
}

// imageCode is the code of an image. Its digest is the engine's to know, which is asked when the image runs; here the image is its name.
func imageCode(uri string) code {
	sum := sha256.Sum256([]byte(uri))
	return code{Sum: hex.EncodeToString(sum[:]), Image: uri}
}

// update changes $LATEST of a function of the API. change may run twice; done is called when what was changed runs.
func (s *Service) update(ctx context.Context, t target, revision *string, publish, dry bool, done func(), change func(tx *store.Tx, f *function) error) (*FunctionConfiguration, error) {
	var c *FunctionConfiguration
	var settle version
	now, id, published := s.Clock.Now(), s.IDs.UUID(), s.IDs.UUID()
	t = t.at("")
	work := func(tx *store.Tx) error {
		f, there := functions.Get(tx, t.key()...)
		if !there || f.Latest == nil {
			return byUser(errResourceNotFoundException(msgNotFound, t.function()))
		}
		v := f.Latest
		if revision != nil && *revision != v.Revision {
			return byUser(errPreconditionFailedException(msgRevision))
		}
		if v.busy() {
			return byUser(errResourceConflictException(msgUpdating, t.function()))
		}
		if err := change(tx, &f); err != nil {
			return err
		}
		if err := s.attach(ctx, tx, v); err != nil {
			return err
		}
		if dry {
			c = s.configuration(tx, t, t.function(), v)
			return nil
		}
		v.LastModified, v.Revision = now, id
		v.Update, v.UpdateReason, v.UpdateCode = LastUpdateStatusInProgress, reasonCreate, StateReasonCodeCreating
		shown := *v
		if publish {
			shown = s.publish(tx, t, &f, v, nil, published)
		}
		settle = *v
		functions.Put(tx, f, t.key()...)
		c = s.configuration(tx, t, t.function(), &shown)
		return nil
	}
	run := s.Store.Update
	if dry {
		run = s.Store.View
	}
	if err := run(work); err != nil || dry {
		return c, err
	}
	s.settle(ctx, t, settle, done)
	return c, nil
}

// codePath is where the archives of code are fetched: see ServeHTTP.
const codePath = "/_lambda/code/"

// location says where the code of a version is: an address at the endpoint that the request came to, as AWS gives one that S3 answers.
func (s *Service) location(ctx context.Context, c code) *string {
	host := wire.From(ctx).Host
	if host == "" || c.Archive == "" {
		return nil // a caller within the process has no address to come back to
	}
	return new("http://" + host + codePath + c.Archive + ".zip")
}

var archiveName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}\.zip$`) })

// ServesCode reports whether a path is one of the archives of code.
func ServesCode(path string) bool { return strings.HasPrefix(path, codePath) }

// ServeCode answers a request for an archive of code, as GetFunction's Code.Location and GetLayerVersion's Content.Location name it.
func (s *Service) ServeCode(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !archiveName().MatchString(name) {
		http.NotFound(w, r)
		return
	}
	f, err := s.archives.open(strings.TrimSuffix(name, ".zip"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/zip")
	http.ServeContent(w, r, name, time.Time{}, f)
}
