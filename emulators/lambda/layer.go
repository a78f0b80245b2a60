package lambda

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"devstack/emulators/store"
	"devstack/emulators/wire"
)

// maxLayers is how many layers a function has at most.
const maxLayers = 5

// Layers, by account, region and name, and their versions, by number behind that.
var (
	layers        = store.NewTable[layer]("layers")
	layerVersions = store.NewTable[layerVersion]("layerversions")
)

// layer is a layer with versions, or one that had some: their numbers are not used again.
type layer struct {
	Account, Region, Name string
	Published             int // number of the latest version
}

// layerVersion is a published version of a layer. Nothing changes it any more.
type layerVersion struct {
	layer
	Number        int
	Description   string
	License       *string
	Runtimes      []string // nil: it does not say
	Architectures []string // nil: it does not say
	Created       time.Time
	Code          code
}

// attached is a layer version as a function has it: it stays the function's when the layer is deleted.
type attached struct {
	ARN  string
	Code code
}

// Messages in the service's words. Recorded answers, unless a line says otherwise.
const (
	msgNoLayer      = "Layer version %s does not exist."
	msgSameLayer    = "Two different versions of the same layer are not allowed to be referenced in the same function."               // a guess
	msgAllTooLarge  = "Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes." // https://github.com/lambci/git-lambda-layer/issues/27
	msgLayerVersion = "Layer Version Cannot be less than 1."                                                                          // a guess
)

var layerReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:arn:[a-zA-Z0-9-]+:lambda:([a-zA-Z0-9-]+):(\d{12}):layer:)?([a-zA-Z0-9-_]+)(?::(\d+))?$`)
})

// parseLayer takes the name or ARN of a layer apart, and the ARN of a version.
func parseLayer(ctx context.Context, ref string) (l layer, version int, err error) {
	req := wire.From(ctx)
	m := layerReference().FindStringSubmatch(ref)
	if m == nil {
		return l, 0, byUser(errResourceNotFoundException(msgNoResource))
	}
	l = layer{Account: req.Account, Region: req.Region, Name: m[3]}
	if m[1] != "" {
		l.Region, l.Account = m[1], m[2]
	}
	version, _ = strconv.Atoi(m[4])
	return l, version, nil
}

func (l *layer) arn() string {
	return "arn:aws:lambda:" + l.Region + ":" + l.Account + ":layer:" + l.Name
}

func (l *layer) key(more ...any) []any { return append([]any{l.Account, l.Region, l.Name}, more...) }

func (v *layerVersion) arn() string { return v.layer.arn() + ":" + strconv.Itoa(v.Number) }

// PublishLayerVersion makes the next version of a layer of an archive, which functions find under /opt.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html
func (s *Service) PublishLayerVersion(ctx context.Context, in *PublishLayerVersionInput) (*PublishLayerVersionOutput, error) {
	l, _, err := parseLayer(ctx, *in.LayerName)
	if err != nil {
		return nil, err
	}
	c, release, err := s.takeArchive(in.Content.ZipFile, in.Content.S3Bucket)
	if err != nil {
		return nil, err
	}
	defer release()
	v := layerVersion{
		Description: deref(in.Description), License: in.LicenseInfo, Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures,
		Created: s.Clock.Now(), Code: c,
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		l.Published = 0
		if before, there := layers.Get(tx, l.key()...); there {
			l.Published = before.Published
		}
		l.Published++
		v.layer, v.Number = l, l.Published
		layers.Put(tx, l, l.key()...)
		layerVersions.Put(tx, v, l.key(v.Number)...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := PublishLayerVersionOutput(*s.describeLayer(ctx, &v))
	return &out, nil
}

// describeLayer is a layer version as the API shows it.
func (s *Service) describeLayer(ctx context.Context, v *layerVersion) *GetLayerVersionOutput {
	return &GetLayerVersionOutput{
		Content:  &LayerVersionContentOutput{Location: s.location(ctx, v.Code), CodeSha256: &v.Code.Sum, CodeSize: &v.Code.Size},
		LayerArn: new(v.layer.arn()), LayerVersionArn: new(v.arn()), Description: &v.Description, CreatedDate: new(stamp(v.Created)), Version: new(int64(v.Number)),
		CompatibleArchitectures: v.Architectures, CompatibleRuntimes: v.Runtimes, LicenseInfo: v.License,
	}
}

// stamp is an instant as Lambda writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000+0000") }

// GetLayerVersion returns a version of a layer, and where its archive is.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html
func (s *Service) GetLayerVersion(ctx context.Context, in *GetLayerVersionInput) (*GetLayerVersionOutput, error) {
	l, _, err := parseLayer(ctx, *in.LayerName)
	if err != nil {
		return nil, err
	}
	return s.getLayer(ctx, l, *in.VersionNumber)
}

// GetLayerVersionByArn is GetLayerVersion by the ARN of the version.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html
func (s *Service) GetLayerVersionByArn(ctx context.Context, in *GetLayerVersionByArnInput) (*GetLayerVersionByArnOutput, error) {
	l, number, err := parseLayer(ctx, *in.Arn)
	if err != nil {
		return nil, err
	}
	v, err := s.getLayer(ctx, l, int64(number))
	if err != nil {
		return nil, err
	}
	out := GetLayerVersionByArnOutput(*v)
	return &out, nil
}

func (s *Service) getLayer(ctx context.Context, l layer, number int64) (*GetLayerVersionOutput, error) {
	if number < 1 {
		return nil, byUser(errInvalidParameterValueException(msgLayerVersion))
	}
	var v layerVersion
	err := s.Store.View(func(tx *store.Tx) error {
		var there bool
		if v, there = layerVersions.Get(tx, l.key(int(number))...); !there {
			return byUser(errResourceNotFoundException(msgNoResource))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.describeLayer(ctx, &v), nil
}

// DeleteLayerVersion removes a version of a layer; functions that have it keep it. One that is not there is nothing to do.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteLayerVersion.html
func (s *Service) DeleteLayerVersion(ctx context.Context, in *DeleteLayerVersionInput) (*DeleteLayerVersionOutput, error) {
	l, _, err := parseLayer(ctx, *in.LayerName)
	if err != nil {
		return nil, err
	}
	if *in.VersionNumber < 1 {
		return nil, byUser(errInvalidParameterValueException(msgLayerVersion))
	}
	err = s.Store.Update(func(tx *store.Tx) error {
		layerVersions.Delete(tx, l.key(int(*in.VersionNumber))...)
		layerPolicies.Delete(tx, l.key(int(*in.VersionNumber))...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.sweepLater()
	return &DeleteLayerVersionOutput{}, nil
}

// ListLayerVersions returns the versions of a layer, the latest first, MaxItems (at most 50) at a time. One that does not say what it is
// compatible with is not among those for a runtime or an architecture, which is a guess.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListLayerVersions.html
func (s *Service) ListLayerVersions(ctx context.Context, in *ListLayerVersionsInput) (*ListLayerVersionsOutput, error) {
	l, _, err := parseLayer(ctx, *in.LayerName)
	if err != nil {
		return nil, err
	}
	out := &ListLayerVersionsOutput{}
	err = s.Store.View(func(tx *store.Tx) error {
		*out = ListLayerVersionsOutput{LayerVersions: []LayerVersionsListItem{}}
		var before []any
		if in.Marker != nil {
			before = []any{sortable(*in.Marker)}
		}
		for v := range layerVersions.Before(tx, before, l.key()...) {
			if !v.fits(in.CompatibleRuntime, in.CompatibleArchitecture) {
				continue
			}
			if len(out.LayerVersions) == pageSize(in.MaxItems) {
				out.NextMarker = new(strconv.FormatInt(*out.LayerVersions[len(out.LayerVersions)-1].Version, 10))
				return nil
			}
			out.LayerVersions = append(out.LayerVersions, v.item())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fits reports whether the version is compatible with what a list asks for.
func (v *layerVersion) fits(runtime, architecture *string) bool {
	return (runtime == nil || slices.Contains(v.Runtimes, *runtime)) && (architecture == nil || slices.Contains(v.Architectures, *architecture))
}

func (v *layerVersion) item() LayerVersionsListItem {
	return LayerVersionsListItem{
		LayerVersionArn: new(v.arn()), Version: new(int64(v.Number)), Description: &v.Description, CreatedDate: new(stamp(v.Created)),
		CompatibleArchitectures: v.Architectures, CompatibleRuntimes: v.Runtimes, LicenseInfo: v.License,
	}
}

// ListLayers returns the layers that have versions, each with the latest that fits, MaxItems (at most 50) at a time.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_ListLayers.html
func (s *Service) ListLayers(ctx context.Context, in *ListLayersInput) (*ListLayersOutput, error) {
	req := wire.From(ctx)
	out := &ListLayersOutput{}
	err := s.Store.View(func(tx *store.Tx) error {
		*out = ListLayersOutput{Layers: []LayersListItem{}}
		page := layers.All(tx, req.Account, req.Region)
		if in.Marker != nil {
			page = layers.After(tx, []any{*in.Marker}, req.Account, req.Region)
		}
		for l := range page {
			for v := range layerVersions.Before(tx, nil, l.key()...) {
				if !v.fits(in.CompatibleRuntime, in.CompatibleArchitecture) {
					continue
				}
				if len(out.Layers) == pageSize(in.MaxItems) {
					out.NextMarker = out.Layers[len(out.Layers)-1].LayerName
					return nil
				}
				out.Layers = append(out.Layers, LayersListItem{LayerName: new(l.Name), LayerArn: new(l.arn()), LatestMatchingVersion: new(v.item())})
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// attach finds the layers of a version that it does not have yet. It refuses those that are not there, and code that is too large
// together with its layers.
func (s *Service) attach(ctx context.Context, tx *store.Tx, v *version) error {
	total := v.Code.Unzipped
	names := map[string]bool{}
	attachedNow := slices.Clone(v.Layers) // another run of the transaction begins with what there was
	for i, a := range attachedNow {
		l, number, err := parseLayer(ctx, a.ARN)
		if err != nil {
			return err
		}
		if names[l.arn()] {
			return byUser(errInvalidParameterValueException(msgSameLayer))
		}
		names[l.arn()] = true
		if a.Code.Archive == "" {
			found, there := layerVersions.Get(tx, l.key(number)...)
			if !there {
				return byUser(errInvalidParameterValueException(msgNoLayer, a.ARN))
			}
			attachedNow[i].Code = found.Code
		}
		total += attachedNow[i].Code.Unzipped
	}
	if len(attachedNow) > 0 && total > maxUnzipped {
		return byUser(errInvalidParameterValueException(msgAllTooLarge, maxUnzipped, total))
	}
	v.Layers = attachedNow
	return nil
}

// AddLayerVersionPermission lets another account, an organization or everybody use a version of a layer.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html
func (s *Service) AddLayerVersionPermission(ctx context.Context, in *AddLayerVersionPermissionInput) (*AddLayerVersionPermissionOutput, error) {
	st := statement{Sid: *in.StatementId, Effect: "Allow", Action: *in.Action}
	var err error
	if st.Principal, err = principal(*in.Principal); err != nil {
		return nil, err
	}
	if in.OrganizationId != nil {
		st.Condition = map[string]map[string]string{"StringEquals": {"aws:PrincipalOrgID": *in.OrganizationId}}
	}
	revision := s.IDs.UUID()
	err = s.layerPolicy(ctx, *in.LayerName, *in.VersionNumber, func(tx *store.Tx, arn string, p *policy, _ bool) error {
		st.Resource = arn
		return p.add(st, in.RevisionId, "GetLayerPolicy", revision)
	})
	if err != nil {
		return nil, err
	}
	return &AddLayerVersionPermissionOutput{Statement: new(marshal(st)), RevisionId: &revision}, nil
}

// RemoveLayerVersionPermission takes a statement out of the policy of a version of a layer.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_RemoveLayerVersionPermission.html
func (s *Service) RemoveLayerVersionPermission(ctx context.Context, in *RemoveLayerVersionPermissionInput) (*RemoveLayerVersionPermissionOutput, error) {
	revision := s.IDs.UUID()
	return &RemoveLayerVersionPermissionOutput{}, s.layerPolicy(ctx, *in.LayerName, *in.VersionNumber, func(_ *store.Tx, _ string, p *policy, kept bool) error {
		if !kept {
			return byUser(errResourceNotFoundException(msgNoPolicy))
		}
		return p.remove(*in.StatementId, in.RevisionId, "GetLayerPolicy", revision)
	})
}

// GetLayerVersionPolicy returns the policy of a version of a layer.
//
// https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionPolicy.html
func (s *Service) GetLayerVersionPolicy(ctx context.Context, in *GetLayerVersionPolicyInput) (*GetLayerVersionPolicyOutput, error) {
	var p policy
	l, _, err := parseLayer(ctx, *in.LayerName)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(func(tx *store.Tx) error {
		if err := layerThere(tx, l, *in.VersionNumber); err != nil {
			return err
		}
		var kept bool
		if p, kept = layerPolicies.Get(tx, l.key(int(*in.VersionNumber))...); !kept {
			return byUser(errResourceNotFoundException(msgNoPolicy))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &GetLayerVersionPolicyOutput{Policy: new(p.document()), RevisionId: &p.Revision}, nil
}

// layerThere refuses a version of a layer that is not there.
func layerThere(tx *store.Tx, l layer, number int64) error {
	if _, there := layerVersions.Get(tx, l.key(int(number))...); !there {
		return byUser(errResourceNotFoundException(msgNoLayer, l.arn()+":"+strconv.FormatInt(number, 10)))
	}
	return nil
}

// layerPolicy changes the policy of a version of a layer; without statements there is none any more.
func (s *Service) layerPolicy(ctx context.Context, name string, number int64, change func(tx *store.Tx, arn string, p *policy, kept bool) error) error {
	l, _, err := parseLayer(ctx, name)
	if err != nil {
		return err
	}
	return s.Store.Update(func(tx *store.Tx) error {
		if err := layerThere(tx, l, number); err != nil {
			return err
		}
		key := l.key(int(number))
		p, kept := layerPolicies.Get(tx, key...)
		if err := change(tx, l.arn()+":"+strconv.FormatInt(number, 10), &p, kept); err != nil {
			return err
		}
		if len(p.Statements) == 0 {
			layerPolicies.Delete(tx, key...)
			return nil
		}
		layerPolicies.Put(tx, p, key...)
		return nil
	})
}

// attachments are layers by their ARNs, to be found by attach.
func attachments(arns []string) []attached {
	all := make([]attached, len(arns))
	for i, arn := range arns {
		all[i].ARN = strings.TrimSpace(arn)
	}
	return all
}
