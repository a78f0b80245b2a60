// What Intl says in Node 20, which wrote intl.golden:
//     TZ=UTC node -e 'for (const l of require("./intl.js").lines()) console.log(l)' >intl.golden
exports.lines = () => {
  const out = [];
  const say = (label, f) => { let v; try { v = f(); } catch (e) { v = e.name; } out.push(label + ' ' + JSON.stringify(v)); };
  const days = ['2026-01-02T15:04:05.678Z', '2026-07-31T00:00:09Z', '2025-09-09T12:30:00Z', '1999-12-31T23:59:59.999Z'].map((t) => new Date(t));
  const options = [undefined, {}, { dateStyle: 'full' }, { dateStyle: 'long', timeStyle: 'short' }, { dateStyle: 'medium', timeStyle: 'medium' }, { dateStyle: 'short' }, { timeStyle: 'long' }, { dateStyle: 'full', timeStyle: 'full' },
    { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }, { month: 'short', day: 'numeric' }, { month: 'long', year: 'numeric' }, { hour: '2-digit', minute: '2-digit' }, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
    { hour: 'numeric', minute: 'numeric', timeZoneName: 'short' }, { year: 'numeric', month: '2-digit', day: '2-digit' }, { year: '2-digit', month: 'numeric', day: 'numeric' }, { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
    { year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit' }, { weekday: 'short' }, { minute: '2-digit', second: '2-digit' }, { second: 'numeric', fractionalSecondDigits: 3 }, { year: 'numeric' }, { month: 'long' }, { day: 'numeric' },
    { weekday: 'short', year: 'numeric', month: 'short', day: 'numeric' }, { year: 'numeric', month: 'numeric' }, { month: 'numeric', day: 'numeric' }, { hour: 'numeric', hour12: true }];
  const zones = ['UTC', 'America/New_York', 'Europe/London', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Tokyo', 'Asia/Singapore', 'america/los_angeles'];
  for (const l of ['en-US', 'en-GB', 'en-CA']) for (const o of options) if (!o?.hour12 || l === 'en-US') say(`date ${l} ${JSON.stringify(o)}`, () => days.map((d) => d.toLocaleString(l, o)));
  for (const timeZone of zones) for (const timeZoneName of ['short', 'long', 'shortOffset', 'longOffset']) say(`zone ${timeZone} ${timeZoneName}`, () => days.map((d) => d.toLocaleString('en-US', { timeZone, timeZoneName })));
  say('date only', () => days.map((d) => d.toLocaleDateString() + '|' + d.toLocaleTimeString() + '|' + d.toLocaleTimeString('en-GB') + '|' + d.toLocaleDateString('en-CA')));
  say('parts', () => new Intl.DateTimeFormat('en-US', { timeZone: 'America/New_York', hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' }).formatToParts(days[0]));
  say('resolved', () => new Intl.DateTimeFormat().resolvedOptions());
  say('resolved hour', () => new Intl.DateTimeFormat('en-GB', { hour: 'numeric', timeZone: 'utc' }).resolvedOptions());
  say('bad zone', () => new Intl.DateTimeFormat('en', { timeZone: 'Mars/Base' }));
  say('bad date', () => new Intl.DateTimeFormat('en').format(NaN));
  say('invalid date', () => new Date(NaN).toLocaleString());
  const numbers = [0, -0, 1, -1.5, 1234.5678, 0.000123, 1e21, 999999.995, 1.005, 12345678, NaN, -Infinity, 0.5, 2.5, 99.95];
  for (const o of [undefined, { minimumFractionDigits: 2 }, { maximumFractionDigits: 0 }, { minimumFractionDigits: 2, maximumFractionDigits: 2 }, { style: 'percent' }, { style: 'percent', maximumFractionDigits: 1 }, { style: 'currency', currency: 'USD' }, { style: 'currency', currency: 'EUR' }, { style: 'currency', currency: 'JPY' },
    { style: 'currency', currency: 'CHF' }, { style: 'currency', currency: 'USD', currencyDisplay: 'code' }, { style: 'currency', currency: 'USD', currencyDisplay: 'name' }, { style: 'currency', currency: 'USD', currencySign: 'accounting' }, { style: 'currency', currency: 'USD', maximumFractionDigits: 0 },
    { notation: 'compact' }, { notation: 'compact', compactDisplay: 'long' }, { notation: 'compact', maximumFractionDigits: 1 }, { maximumSignificantDigits: 3 }, { minimumSignificantDigits: 4 }, { useGrouping: false }, { minimumIntegerDigits: 3 }, { signDisplay: 'always' }, { signDisplay: 'exceptZero' },
    { style: 'unit', unit: 'kilometer' }, { style: 'unit', unit: 'megabyte', unitDisplay: 'long' }, { style: 'unit', unit: 'celsius' }, { style: 'unit', unit: 'day' }, { style: 'unit', unit: 'hour', unitDisplay: 'narrow' }]) {
    say(`number ${JSON.stringify(o)}`, () => numbers.map((n) => n.toLocaleString('en-US', o)));
  }
  say('money in GB', () => new Intl.NumberFormat('en-GB', { style: 'currency', currency: 'USD' }).format(5));
  say('big', () => (12345678901234567890n).toLocaleString() + new Intl.NumberFormat().format('98765432109876543210.5'));
  say('number parts', () => new Intl.NumberFormat('en-US', { style: 'currency', currency: 'EUR' }).formatToParts(-1234.5));
  say('no currency', () => new Intl.NumberFormat('en-US', { style: 'currency' }));
  say('plural', () => [0, 1, 1.5, 2, 3, 11, 12, 13, 21, 22, 23, 101, 111].map((n) => new Intl.PluralRules('en').select(n) + new Intl.PluralRules('en', { type: 'ordinal' }).select(n)));
  for (const o of [{}, { numeric: 'auto' }, { style: 'short' }, { style: 'narrow' }, { style: 'short', numeric: 'auto' }]) {
    const r = new Intl.RelativeTimeFormat('en', o);
    say(`relative ${JSON.stringify(o)}`, () => ['second', 'minutes', 'hour', 'days', 'week', 'month', 'quarter', 'year'].flatMap((u) => [-5, -1, 0, 1, 2].map((n) => r.format(n, u))));
  }
  for (const type of ['conjunction', 'disjunction', 'unit']) for (const style of ['long', 'short', 'narrow']) for (const l of ['en', 'en-GB']) say(`list ${type} ${style} ${l}`, () => [['a'], ['a', 'b'], ['a', 'b', 'c']].map((x) => new Intl.ListFormat(l, { type, style }).format(x)));
  say('collate', () => [['a10', 'a9', 'a1'].sort(new Intl.Collator(undefined, { numeric: true }).compare), ['é', 'f', 'e', 'E'].sort(new Intl.Collator('en').compare), 'a'.localeCompare('Á', 'en', { sensitivity: 'base' }), 'a'.localeCompare('b'), 'résumé'.localeCompare('resume', undefined, { sensitivity: 'accent' })]);
  say('supported', () => Intl.DateTimeFormat.supportedLocalesOf(['en-US', 'en-GB']));
  return out;
};
