// Intl for English: en-US, en-GB and en-CA. Patterns and names are those of Unicode's CLDR as Node prints them.
const regions = ['en-US', 'en-GB', 'en-CA'];
const fail = (message) => { throw new RangeError(message); };
// localeOf finds the locale that a request means. What is not English is refused by name: another answer than AWS's would be worse.
const localeOf = (wanted) => {
  for (const l of wanted === undefined ? ['en-US'] : [].concat(wanted)) {
    const tag = String(l?.toString?.() ?? l).replace(/-u-.*$/, '');
    if (!/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(tag)) fail(`Incorrect locale information provided: ${tag}`);
    const exact = regions.find((r) => r.toLowerCase() === tag.toLowerCase());
    if (exact) return exact;
    if (/^(en|und|c|root)$/i.test(tag)) return tag.toLowerCase() === 'en' ? 'en' : 'en-US';
    if (/^en-(AU|NZ|IE|IN|ZA)$/i.test(tag)) continue;
    if (/^en\b/i.test(tag)) return 'en-US';
  }
  if (Array.isArray(wanted) && wanted.length === 0) return 'en-US';
  return fail(`The js runtime has Intl for en-US, en-GB and en-CA only, not for ${wanted}; use runtime = "nodejs22.x" for functions that need it`);
};
const regionOf = (locale) => (regions.includes(locale) ? locale : 'en-US');
const supported = (wanted) => [].concat(wanted ?? []).filter((l) => { try { localeOf(l); return true; } catch { return false; } });
const option = (o, name, values, standard) => {
  const v = o[name];
  if (v === undefined) return standard;
  if (values && !values.includes(String(v))) fail(`Value ${v} out of range for Intl options property ${name}`);
  return values ? String(v) : v;
};
const whole = (o, name, least, most, standard) => {
  if (o[name] === undefined) return standard;
  const v = Number(o[name]);
  if (!(v >= least && v <= most)) fail(`${name} value is out of range.`);
  return Math.floor(v);
};

// ---- numbers

// rounded writes a decimal numeral (no sign) with least to most digits after the point, halves away from zero.
const digitsOf = (text) => {
  const [mantissa, exp = '0'] = text.toLowerCase().split('e');
  const [int, frac = ''] = mantissa.split('.');
  const digits = (int + frac).replace(/^0+(?=\d)/, ''), point = digits.length - frac.length + Number(exp);
  return { digits, point: point - 0 }; // value: 0.digits × 10^point
};
const roundAt = ({ digits, point }, keep) => { // keep: how many digits stay, counted from the first
  if (keep >= digits.length) return { digits, point };
  if (keep < 0) return { digits: '0', point: 1 };
  let up = digits.charCodeAt(keep) >= 53, out = digits.slice(0, keep).split('');
  for (let i = keep - 1; up && i >= 0; i--) {
    if (out[i] === '9') out[i] = '0';
    else { out[i] = String(Number(out[i]) + 1); up = false; }
  }
  if (up) { out.unshift('1'); point++; }
  return { digits: out.join('') || '0', point: out.length ? point : 1 };
};
const plain = ({ digits, point }) => {
  const d = digits.padEnd(Math.max(point, 0), '0');
  return point <= 0 ? ['0', '0'.repeat(-point) + d] : [d.slice(0, point), d.slice(point)];
};
const fixed = (text, least, most) => {
  const n = digitsOf(text);
  let [int, frac] = plain(roundAt(n, n.point + most));
  frac = frac.slice(0, most).replace(/0+$/, '').padEnd(least, '0');
  return [int.replace(/^0+(?=\d)/, ''), frac];
};
const significant = (text, least, most) => {
  const n = digitsOf(text);
  if (/^0*$/.test(n.digits)) return ['0', '0'.repeat(least - 1)];
  let [int, frac] = plain(roundAt(n, most));
  int = int.replace(/^0+(?=\d)/, '');
  frac = frac.replace(/0+$/, '');
  const have = int === '0' ? frac.replace(/^0+/, '').length : int.length + frac.length;
  return [int, have < least ? frac + '0'.repeat(least - have) : frac];
};
const currencySymbols = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹', CNY: 'CN¥', KRW: '₩', BRL: 'R$', CAD: 'CA$', AUD: 'A$', MXN: 'MX$', NZD: 'NZ$', ILS: '₪', VND: '₫', TWD: 'NT$', HKD: 'HK$', PHP: '₱', XAF: 'FCFA', XOF: 'F\u202fCFA', XCD: 'EC$' };
const currencyNames = { USD: 'US dollar', EUR: 'euro', GBP: 'British pound', JPY: 'Japanese yen', CAD: 'Canadian dollar', AUD: 'Australian dollar', CHF: 'Swiss franc', INR: 'Indian rupee', CNY: 'Chinese yuan' };
const currencyDigits = { JPY: 0, KRW: 0, VND: 0, CLP: 0, ISK: 0, XAF: 0, XOF: 0, XPF: 0, PYG: 0, UGX: 0, RWF: 0, KMF: 0, GNF: 0, DJF: 0, BIF: 0, VUV: 0, BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3 };
const units = { // short with its space, long in the singular
  bit: [' bit', 'bit'], byte: [' byte', 'byte'], kilobyte: [' kB', 'kilobyte'], megabyte: [' MB', 'megabyte'], gigabyte: [' GB', 'gigabyte'], terabyte: [' TB', 'terabyte'],
  celsius: ['°C', 'degree Celsius'], fahrenheit: ['°F', 'degree Fahrenheit'], percent: ['%', 'percent'], degree: [' deg', 'degree'],
  millimeter: [' mm', 'millimeter'], centimeter: [' cm', 'centimeter'], meter: [' m', 'meter'], kilometer: [' km', 'kilometer'], mile: [' mi', 'mile'], foot: [' ft', 'foot'], inch: [' in', 'inch'], yard: [' yd', 'yard'],
  gram: [' g', 'gram'], kilogram: [' kg', 'kilogram'], ounce: [' oz', 'ounce'], pound: [' lb', 'pound'], liter: [' L', 'liter'], milliliter: [' mL', 'milliliter'], gallon: [' gal', 'gallon'],
  millisecond: [' ms', 'millisecond'], second: [' sec', 'second'], minute: [' min', 'minute'], hour: [' hr', 'hour'], day: [' day', 'day'], week: [' wk', 'week'], month: [' mth', 'month'], year: [' yr', 'year'],
  'kilometer-per-hour': [' km/h', 'kilometer per hour'], 'mile-per-hour': [' mph', 'mile per hour'], 'meter-per-second': [' m/s', 'meter per second'],
};
const narrowUnits = { hour: 'h', minute: 'm', second: 's', day: 'd', week: 'w', month: 'm', year: 'y', byte: 'B', celsius: '°C', fahrenheit: '°', foot: '′', inch: '″', degree: '°', pound: '#' };
const pluralShort = ['bit', 'byte', 'day', 'week', 'month', 'year'];

class NumberFormat {
  #o; #region;
  constructor(locales, options = {}) {
    const o = Object(options), locale = localeOf(locales);
    const style = option(o, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal');
    const currency = o.currency === undefined ? undefined : String(o.currency).toUpperCase();
    if (style === 'currency' && currency === undefined) throw new TypeError('Currency code is required with currency style.');
    if (currency !== undefined && !/^[A-Z]{3}$/.test(currency)) fail(`Invalid currency code : ${o.currency}`);
    if (style === 'unit' && o.unit === undefined) throw new TypeError('Unit is required with unit style.');
    if (style === 'unit' && !units[o.unit]) fail(`The js runtime does not provide the unit ${o.unit} of Intl.NumberFormat`);
    const notation = option(o, 'notation', ['standard', 'compact', 'scientific', 'engineering'], 'standard');
    if (notation === 'scientific' || notation === 'engineering') fail(`The js runtime does not provide the notation ${notation} of Intl.NumberFormat`);
    const money = style === 'currency' ? currencyDigits[currency] ?? 2 : undefined;
    let least = whole(o, 'minimumFractionDigits', 0, 100, undefined), most = whole(o, 'maximumFractionDigits', 0, 100, undefined);
    const standardLeast = notation === 'compact' ? 0 : money ?? 0, standardMost = notation === 'compact' ? 0 : money ?? (style === 'percent' ? 0 : 3);
    const given = least !== undefined || most !== undefined;
    if (least === undefined) least = Math.min(standardLeast, most ?? standardLeast);
    if (most === undefined) most = Math.max(standardMost, least);
    if (least > most) fail('maximumFractionDigits value is out of range.');
    let leastSig = whole(o, 'minimumSignificantDigits', 1, 21, undefined), mostSig = whole(o, 'maximumSignificantDigits', leastSig ?? 1, 21, undefined);
    const bySignificance = leastSig !== undefined || mostSig !== undefined;
    let grouping = o.useGrouping;
    if (grouping === undefined) grouping = notation === 'compact' ? 'min2' : 'auto';
    else if (grouping === true || grouping === 'true') grouping = 'always';
    else if (grouping === 'false') grouping = false;
    this.#region = regionOf(locale);
    this.#o = { locale, style, currency, currencyDisplay: option(o, 'currencyDisplay', ['symbol', 'narrowSymbol', 'code', 'name'], 'symbol'), currencySign: option(o, 'currencySign', ['standard', 'accounting'], 'standard'),
      unit: o.unit, unitDisplay: option(o, 'unitDisplay', ['short', 'long', 'narrow'], 'short'), notation, compactDisplay: option(o, 'compactDisplay', ['short', 'long'], 'short'),
      signDisplay: option(o, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto'), minimumIntegerDigits: whole(o, 'minimumIntegerDigits', 1, 21, 1),
      least, most, leastSig: leastSig ?? 1, mostSig: mostSig ?? 21, bySignificance, given, grouping };
    this.format = this.format.bind(this);
  }
  format(v) { return this.formatToParts(v).map((p) => p.value).join(''); }
  formatToParts(v) {
    const o = this.#o;
    if (typeof v !== 'bigint') v = typeof v === 'string' && v.trim() !== '' && /^\s*[-+]?\d+(\.\d+)?\s*$/.test(v) ? v.trim().replace(/^\+/, '') : Number(v);
    let text = String(v), negative = Object.is(v, -0) || text.startsWith('-');
    text = text.replace(/^-/, '');
    const parts = [], push = (type, value) => parts.push({ type, value });
    let int, frac = '', suffix = null;
    if (text === 'NaN') { int = null; negative = false; push('nan', 'NaN'); }
    else if (text === 'Infinity') { int = null; push('infinity', '∞'); }
    else {
      if (o.style === 'percent') { const n = digitsOf(text); const [a, b] = plain({ digits: n.digits, point: n.point + 2 }); text = b ? a + '.' + b : a; }
      if (o.notation === 'compact') [text, suffix] = this.#compact(text);
      [int, frac] = o.bySignificance ? significant(text, o.leastSig, o.mostSig)
        : o.notation === 'compact' && !o.given ? (fixed(text, 0, 0)[0].length >= 2 ? fixed(text, 0, 0) : significant(text, 1, 2)) : fixed(text, o.least, o.most);
      int = int.padStart(o.minimumIntegerDigits, '0');
      const groups = o.grouping !== false && !(o.grouping === 'min2' && int.length < 5) ? int.match(/\d{1,3}(?=(\d{3})*$)/g) : [int];
      groups.forEach((g, i) => { if (i) push('group', ','); push('integer', g); });
      if (frac) { push('decimal', '.'); push('fraction', frac); }
      if (suffix) { if (o.compactDisplay === 'long') push('literal', ' '); push('compact', suffix); }
    }
    const zero = int !== null && !/[1-9]/.test(int + frac);
    const sign = { never: '', always: negative ? '-' : '+', exceptZero: zero || text === 'NaN' ? '' : negative ? '-' : '+', negative: negative && !zero ? '-' : '', auto: negative ? '-' : '' }[o.signDisplay];
    const one = int === '1' && !frac;
    if (o.style === 'percent') push('percentSign', '%');
    if (o.style === 'unit') this.#unit(push, one);
    if (o.style === 'currency') this.#money(parts, one);
    if (sign && o.style === 'currency' && o.currencySign === 'accounting' && sign === '-') return [{ type: 'literal', value: '(' }, ...parts, { type: 'literal', value: ')' }];
    return sign ? [{ type: sign === '-' ? 'minusSign' : 'plusSign', value: sign }, ...parts] : parts;
  }
  #compact(text) {
    const n = digitsOf(text);
    if (/^0*$/.test(n.digits)) return [text, null];
    let size = Math.floor((n.point - 1) / 3);
    const scale = (k) => { const [a, b] = plain({ digits: n.digits, point: n.point - 3 * k }); return b ? a + '.' + b : a; };
    if (size >= 0 && fixed(scale(size), 0, this.#o.given ? this.#o.most : 0)[0].length > 3) size++;
    size = Math.min(size, 4);
    if (size < 1) return [text, null];
    return [scale(size), (this.#o.compactDisplay === 'long' ? ['thousand', 'million', 'billion', 'trillion'] : ['K', 'M', 'B', 'T'])[size - 1]];
  }
  #unit(push, one) {
    const { unit, unitDisplay } = this.#o, [short, long] = units[unit];
    if (unitDisplay === 'long') {
      push('literal', ' ');
      push('unit', one || unit === 'percent' ? long : unit === 'foot' ? 'feet' : unit === 'inch' ? 'inches' : / per |degree /.test(long) ? long.replace(/^\w+/, (w) => w + 's') : long + 's');
      return;
    }
    const text = short.trimStart(), spaced = short !== text && unitDisplay === 'short';
    if (spaced) push('literal', ' ');
    push('unit', unitDisplay === 'narrow' ? narrowUnits[unit] ?? text : text + (!one && pluralShort.includes(unit) && unitDisplay === 'short' && unit !== 'bit' ? (unit === 'byte' ? '' : 's') : ''));
  }
  #money(parts, one) {
    const { currency, currencyDisplay } = this.#o;
    if (currencyDisplay === 'name') {
      const name = currencyNames[currency] || fail(`The js runtime does not know the name of the currency ${currency}`);
      parts.push({ type: 'literal', value: ' ' }, { type: 'currency', value: one || /yen|yuan/.test(name) ? name : name + 's' });
      return;
    }
    let symbol = currencyDisplay === 'code' ? currency : currencySymbols[currency] ?? currency;
    if (currencyDisplay === 'narrowSymbol') symbol = symbol.replace(/^[A-Z]+(?=[$¥])/, '');
    else if (currencyDisplay === 'symbol') {
      if (this.#region !== 'en-US' && currency === 'USD') symbol = 'US$';
      if (this.#region === 'en-CA' && currency === 'CAD') symbol = '$';
    }
    const head = [{ type: 'currency', value: symbol }];
    if (/[A-Za-z]$/.test(symbol) && parts[0].type === 'integer') head.push({ type: 'literal', value: '\u00a0' });
    parts.unshift(...head);
  }
  formatRange(a, b) { const x = this.format(a), y = this.format(b); return x === y ? '~' + x : `${x}–${y}`; }
  resolvedOptions() {
    const o = this.#o, out = { locale: o.locale, numberingSystem: 'latn', style: o.style };
    if (o.style === 'currency') Object.assign(out, { currency: o.currency, currencyDisplay: o.currencyDisplay, currencySign: o.currencySign });
    if (o.style === 'unit') Object.assign(out, { unit: o.unit, unitDisplay: o.unitDisplay });
    out.minimumIntegerDigits = o.minimumIntegerDigits;
    if (o.bySignificance) Object.assign(out, { minimumSignificantDigits: o.leastSig, maximumSignificantDigits: o.mostSig });
    else Object.assign(out, { minimumFractionDigits: o.least, maximumFractionDigits: o.most });
    return Object.assign(out, { useGrouping: o.grouping, notation: o.notation, signDisplay: o.signDisplay, roundingIncrement: 1, roundingMode: 'halfExpand', roundingPriority: 'auto', trailingZeroDisplay: 'auto' });
  }
  static supportedLocalesOf(l) { return supported(l); }
}

// ---- dates

const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const styles = {
  date: { full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }, long: { year: 'numeric', month: 'long', day: 'numeric' }, medium: { year: 'numeric', month: 'short', day: 'numeric' }, short: { year: '2-digit', month: 'numeric', day: 'numeric' } },
  time: { full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'long' }, long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' }, medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' }, short: { hour: 'numeric', minute: '2-digit' } },
};
const american = { EST: 'Eastern Standard Time', EDT: 'Eastern Daylight Time', CST: 'Central Standard Time', CDT: 'Central Daylight Time', MST: 'Mountain Standard Time', MDT: 'Mountain Daylight Time', PST: 'Pacific Standard Time', PDT: 'Pacific Daylight Time', AKST: 'Alaska Standard Time', AKDT: 'Alaska Daylight Time', HST: 'Hawaii-Aleutian Standard Time' };
const european = { 'WET': 'Western European Standard Time', 'WEST': 'Western European Summer Time', CET: 'Central European Standard Time', CEST: 'Central European Summer Time', EET: 'Eastern European Standard Time', EEST: 'Eastern European Summer Time', GMT: 'Greenwich Mean Time', BST: 'British Summer Time', IST: 'Irish Standard Time' };
const elsewhere = { 'Asia/Tokyo': 'Japan Standard Time', 'Asia/Kolkata': 'India Standard Time', 'Asia/Calcutta': 'India Standard Time', 'Asia/Shanghai': 'China Standard Time', 'Asia/Singapore': 'Singapore Standard Time', 'Asia/Hong_Kong': 'Hong Kong Standard Time', 'Asia/Seoul': 'Korean Standard Time', 'Asia/Dubai': 'Gulf Standard Time', 'America/Sao_Paulo': 'Brasilia Standard Time' };
const pad = (n, size = 2) => String(n).padStart(size, '0');
const offsetName = (seconds, long) => {
  const a = Math.abs(seconds), h = Math.floor(a / 3600), m = Math.floor(a / 60) % 60;
  return `GMT${seconds < 0 ? '-' : '+'}${long ? pad(h) + ':' + pad(m) : h + (m ? ':' + pad(m) : '')}`;
};
const isUTC = (name) => /^(UTC|Etc\/(UTC|UCT|Zulu|Universal)|UCT|Zulu|Universal)$/.test(name);
const zoneName = (form, zone, offset, abbreviation, region) => {
  if (form === 'shortOffset' || form === 'longOffset') return offsetName(offset, form === 'longOffset');
  const isAmerican = /^(America|US|Canada|Pacific\/Honolulu|[A-Z]{3}\d[A-Z]{3}$)/.test(zone);
  if (form === 'short' || form === 'shortGeneric') {
    if (isUTC(zone)) return 'UTC';
    if (isAmerican && american[abbreviation] && region !== 'en-GB') return form === 'short' ? abbreviation : abbreviation.replace(/[SD]T$/, 'T');
    if (region === 'en-GB' && /^Europe\//.test(zone) && european[abbreviation] && abbreviation !== 'IST') return abbreviation;
    return offset === 0 ? 'GMT' : offsetName(offset, false);
  }
  if (isUTC(zone)) return 'Coordinated Universal Time';
  const name = (isAmerican && american[abbreviation]) || (/^(Europe|GMT|Etc\/GMT$)/.test(zone) && european[abbreviation]) || elsewhere[zone] || offsetName(offset, true);
  return form === 'longGeneric' ? name.replace(/ (Standard|Daylight|Summer) /, ' ') : name;
};

class DateTimeFormat {
  #o; #region;
  constructor(locales, options) { this.#set(locales, options, 'any', 'date'); this.format = this.format.bind(this); }
  static make(locales, options, required, defaults) { const f = new DateTimeFormat(locales); f.#set(locales, options, required, defaults); return f; }
  #set(locales, options, required, defaults) {
    const o = Object(options ?? {}), locale = localeOf(locales), region = regionOf(locale);
    const timeZone = o.timeZone === undefined ? 'UTC' : String(o.timeZone);
    const zone = host.zone(timeZone, 0) || fail(`Invalid time zone specified: ${timeZone}`);
    if (o.calendar !== undefined && !/^(gregory|iso8601)$/.test(o.calendar)) fail(`The js runtime does not provide the calendar ${o.calendar} of Intl`);
    const two = ['numeric', '2-digit'], names = ['narrow', 'short', 'long'];
    const f = {
      weekday: option(o, 'weekday', names), era: option(o, 'era', names), year: option(o, 'year', two), month: option(o, 'month', [...two, ...names]), day: option(o, 'day', two), dayPeriod: option(o, 'dayPeriod', names),
      hour: option(o, 'hour', two), minute: option(o, 'minute', two), second: option(o, 'second', two), fractionalSecondDigits: whole(o, 'fractionalSecondDigits', 1, 3), timeZoneName: option(o, 'timeZoneName', ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric']),
    };
    const dateStyle = option(o, 'dateStyle', Object.keys(styles.date)), timeStyle = option(o, 'timeStyle', Object.keys(styles.time));
    if (dateStyle || timeStyle) {
      const extra = Object.keys(f).find((k) => f[k] !== undefined);
      if (extra) throw new TypeError(`Can't set option ${extra} when ${dateStyle ? 'dateStyle' : 'timeStyle'} is used`);
      if (required === 'date' && timeStyle || required === 'time' && dateStyle) throw new TypeError('Invalid option : ' + (required === 'date' ? 'timeStyle' : 'dateStyle'));
      Object.assign(f, styles.date[dateStyle], styles.time[timeStyle]);
      if (dateStyle === 'short' && region !== 'en-US') f.year = 'numeric';
    } else {
      const has = (list) => list.some((k) => f[k] !== undefined);
      const needs = !(required !== 'time' && has(['weekday', 'year', 'month', 'day']) || required !== 'date' && has(['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits']));
      if (needs && defaults !== 'time') Object.assign(f, { year: 'numeric', month: 'numeric', day: 'numeric' });
      if (needs && defaults !== 'date') Object.assign(f, { hour: 'numeric', minute: 'numeric', second: 'numeric' });
    }
    let cycle = o.hour12 !== undefined ? (o.hour12 ? 'h12' : 'h23') : option(o, 'hourCycle', ['h11', 'h12', 'h23', 'h24'], region === 'en-GB' ? 'h23' : 'h12');
    this.#region = region;
    this.#o = { locale, timeZone: o.timeZone === undefined ? 'UTC' : /^[+-]/.test(timeZone) ? timeZone : isUTC(zone[2]) ? 'UTC' : zone[2], f, dateStyle, timeStyle, cycle, joinAt: f.month === 'long' && (dateStyle === undefined || dateStyle === 'full' || dateStyle === 'long') };
  }
  format(v) { return this.formatToParts(v).map((p) => p.value).join(''); }
  formatToParts(v) {
    const ms = v === undefined ? Date.now() : Number(v);
    if (!(Math.abs(ms) <= 8.64e15)) fail('Invalid time value');
    const { f, timeZone, cycle, joinAt } = this.#o, [offset, abbreviation] = host.zone(timeZone, Math.floor(ms)), t = new Date(Math.floor(ms) + offset * 1000);
    const date = this.#date(t), time = this.#time(t, cycle);
    const out = [...date];
    if (date.length && time.length) out.push({ type: 'literal', value: joinAt ? ' at ' : f.month || f.year || f.day || this.#region === 'en-GB' ? ', ' : ' ' });
    out.push(...time);
    if (f.timeZoneName) {
      if (out.length) out.push({ type: 'literal', value: date.length && !time.length ? ', ' : ' ' });
      out.push({ type: 'timeZoneName', value: zoneName(f.timeZoneName, timeZone, offset, abbreviation, this.#region) });
    }
    return out;
  }
  #date(t) {
    const { f } = this.#o, region = this.#region, parts = [];
    const numeric = f.month === 'numeric' || f.month === '2-digit', y = t.getUTCFullYear();
    const forced = numeric && (region === 'en-CA' && !f.era || region === 'en-GB');
    const value = {
      weekday: f.weekday && (f.weekday === 'long' ? dayNames[t.getUTCDay()] : dayNames[t.getUTCDay()].slice(0, f.weekday === 'short' ? 3 : 1)),
      year: f.year && (f.year === '2-digit' ? pad(((y % 100) + 100) % 100) : String(f.era && y <= 0 ? 1 - y : y)),
      month: f.month && (numeric ? (f.month === '2-digit' || forced ? pad(t.getUTCMonth() + 1) : String(t.getUTCMonth() + 1)) : f.month === 'long' ? monthNames[t.getUTCMonth()]
        : f.month === 'narrow' ? monthNames[t.getUTCMonth()][0] : region === 'en-GB' && t.getUTCMonth() === 8 ? 'Sept' : monthNames[t.getUTCMonth()].slice(0, 3)),
      day: f.day && (f.day === '2-digit' || forced ? pad(t.getUTCDate()) : String(t.getUTCDate())),
    };
    const add = (type, before) => { if (!value[type]) return; if (parts.length) parts.push({ type: 'literal', value: before }); parts.push({ type, value: value[type] }); };
    if (region === 'en-GB') {
      add('weekday');
      add('day', numeric && !f.year ? ' ' : ', ');
      add('month', f.day ? (numeric ? '/' : ' ') : ' ');
      add('year', numeric ? '/' : ' ');
    } else if (numeric && region === 'en-CA') {
      add('weekday');
      add('year', ', ');
      add('month', f.year ? '-' : ', ');
      add('day', '-');
    } else {
      if (!f.month && f.day && f.weekday) { add('day'); add('weekday', ' '); } else add('weekday');
      add('month', ', ');
      if (f.month) add('day', numeric ? '/' : ' ');
      else if (!f.weekday) add('day');
      add('year', numeric ? '/' : f.day ? ', ' : ' ');
    }
    if (f.era) parts.push(...(parts.length ? [{ type: 'literal', value: ' ' }] : []), { type: 'era', value: f.era === 'long' ? (y > 0 ? 'Anno Domini' : 'Before Christ') : f.era === 'narrow' ? (y > 0 ? 'A' : 'B') : y > 0 ? 'AD' : 'BC' });
    return parts;
  }
  // #bare: British dates with a month's name have hours without a zero before them.
  #bare() { const { f, dateStyle, timeStyle } = this.#o; return this.#region === 'en-GB' && !dateStyle && !timeStyle && /short|long|narrow/.test(f.month); }
  #time(t, cycle) {
    const { f } = this.#o, parts = [];
    const h = t.getUTCHours(), twelve = cycle === 'h12' || cycle === 'h11';
    const put = (type, value, before) => { if (parts.length) parts.push({ type: 'literal', value: before }); parts.push({ type, value }); };
    if (f.hour) {
      const n = cycle === 'h12' ? h % 12 || 12 : cycle === 'h11' ? h % 12 : cycle === 'h24' ? h || 24 : h;
      put('hour', f.hour === '2-digit' || !twelve && !this.#bare() ? pad(n) : String(n));
    }
    if (f.minute) put('minute', f.hour || f.second ? pad(t.getUTCMinutes()) : String(t.getUTCMinutes()), ':');
    if (f.second) put('second', f.minute ? pad(t.getUTCSeconds()) : f.hour ? pad(t.getUTCSeconds()) : String(t.getUTCSeconds()), ':');
    if (f.fractionalSecondDigits) put('fractionalSecond', pad(t.getUTCMilliseconds(), 3).slice(0, f.fractionalSecondDigits), '.');
    if (f.hour && twelve) put('dayPeriod', { 'en-US': ['AM', 'PM'], 'en-GB': ['am', 'pm'], 'en-CA': ['a.m.', 'p.m.'] }[this.#region][h < 12 ? 0 : 1], ' ');
    return parts;
  }
  formatRange(a, b) { const x = this.format(a), y = this.format(b); return x === y ? x : `${x} – ${y}`; }
  resolvedOptions() {
    const { locale, timeZone, f, dateStyle, timeStyle, cycle } = this.#o, out = { locale, calendar: 'gregory', numberingSystem: 'latn', timeZone };
    if (f.hour) Object.assign(out, { hourCycle: cycle, hour12: cycle === 'h12' || cycle === 'h11' });
    if (dateStyle || timeStyle) return Object.assign(out, dateStyle && { dateStyle }, timeStyle && { timeStyle });
    for (const [k, v] of Object.entries(f)) if (v !== undefined) out[k] = k === 'minute' || k === 'second' || k === 'hour' && /h2/.test(cycle) && !this.#bare() ? '2-digit' : v;
    return out;
  }
  static supportedLocalesOf(l) { return supported(l); }
}

// ---- words

class PluralRules {
  #o;
  constructor(locales, options = {}) { this.#o = { locale: localeOf(locales), type: option(Object(options), 'type', ['cardinal', 'ordinal'], 'cardinal'), number: new NumberFormat(locales, { minimumFractionDigits: options.minimumFractionDigits, maximumFractionDigits: options.maximumFractionDigits, useGrouping: false }) }; }
  select(n) {
    n = Number(n);
    if (this.#o.type === 'cardinal') return this.#o.number.format(Math.abs(n)) === '1' ? 'one' : 'other';
    const a = Math.abs(n) % 10, b = Math.abs(n) % 100;
    return a === 1 && b !== 11 ? 'one' : a === 2 && b !== 12 ? 'two' : a === 3 && b !== 13 ? 'few' : 'other';
  }
  resolvedOptions() { return { locale: this.#o.locale, type: this.#o.type, pluralCategories: this.#o.type === 'cardinal' ? ['one', 'other'] : ['few', 'one', 'two', 'other'] }; }
  static supportedLocalesOf(l) { return supported(l); }
}

const relative = { second: ['sec.', 's'], minute: ['min.', 'm'], hour: ['hr.', 'h'], day: ['day', 'd'], week: ['wk.', 'w'], month: ['mo.', 'mo'], quarter: ['qtr.', 'q'], year: ['yr.', 'y'] };
const near = { second: { 0: 'now' }, day: { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' } };
class RelativeTimeFormat {
  #o;
  constructor(locales, options = {}) { const o = Object(options); this.#o = { locale: localeOf(locales), numeric: option(o, 'numeric', ['always', 'auto'], 'always'), style: option(o, 'style', ['long', 'short', 'narrow'], 'long'), number: new NumberFormat(locales) }; }
  format(n, unit) { return this.formatToParts(n, unit).map((p) => p.value).join(''); }
  formatToParts(n, unit) {
    n = Number(n);
    const u = String(unit).replace(/s$/, '');
    if (!relative[u]) fail(`Invalid unit argument for format() '${unit}'`);
    if (!Number.isFinite(n)) fail('Invalid time value');
    const { numeric, style, number } = this.#o;
    if (numeric === 'auto') {
      const name = style === 'long' ? u : style === 'short' ? relative[u][0] : relative[u][0];
      const word = near[u]?.[n] ?? (u !== 'day' && u !== 'second' && u !== 'hour' && u !== 'minute' ? { '-1': 'last ' + name, 0: 'this ' + name, 1: 'next ' + name }[n] : n === 0 && u !== 'second' ? 'this ' + u : undefined);
      if (word !== undefined) return [{ type: 'literal', value: word }];
    }
    const past = n < 0 || Object.is(n, -0), parts = number.formatToParts(Math.abs(n)).map((p) => ({ ...p, unit: u })), one = Math.abs(n) === 1;
    const text = style === 'long' ? ' ' + u + (one ? '' : 's') : style === 'short' ? ' ' + (one || !/^(day|quarter)$/.test(u) ? relative[u][0] : u === 'day' ? 'days' : 'qtrs.') : relative[u][1];
    return past ? [...parts, { type: 'literal', value: text + ' ago' }] : [{ type: 'literal', value: 'in ' }, ...parts, { type: 'literal', value: text }];
  }
  resolvedOptions() { const { locale, numeric, style } = this.#o; return { locale, style, numeric, numberingSystem: 'latn' }; }
  static supportedLocalesOf(l) { return supported(l); }
}

class ListFormat {
  #o;
  constructor(locales, options = {}) { const o = Object(options), locale = localeOf(locales); this.#o = { locale, type: option(o, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction'), style: option(o, 'style', ['long', 'short', 'narrow'], 'long') }; }
  format(list) { return this.formatToParts(list).map((p) => p.value).join(''); }
  formatToParts(list) {
    const items = [...list], { type, style, locale } = this.#o;
    const word = type === 'unit' ? '' : type === 'disjunction' ? 'or' : style === 'long' || style === 'short' && regionOf(locale) === 'en-GB' ? 'and' : style === 'short' ? '&' : '';
    const comma = type === 'unit' && style === 'narrow' ? ' ' : ', ', oxford = regionOf(locale) === 'en-US' || !word ? comma : ' ';
    const out = [];
    items.forEach((v, i) => {
      if (typeof v !== 'string') throw new TypeError('Iterable yielded ' + v + ' which is not a string');
      if (i) out.push({ type: 'literal', value: i < items.length - 1 ? comma : word ? (items.length === 2 ? ' ' : oxford) + word + ' ' : comma });
      out.push({ type: 'element', value: v });
    });
    return out;
  }
  resolvedOptions() { return { ...this.#o }; }
  static supportedLocalesOf(l) { return supported(l); }
}

const compareText = String.prototype.localeCompare;
class Collator {
  #o;
  constructor(locales, options = {}) {
    const o = Object(options);
    this.#o = { locale: localeOf(locales), usage: option(o, 'usage', ['sort', 'search'], 'sort'), sensitivity: option(o, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant'), ignorePunctuation: Boolean(o.ignorePunctuation), collation: 'default', numeric: Boolean(o.numeric), caseFirst: option(o, 'caseFirst', ['upper', 'lower', 'false'], 'false') };
    this.compare = this.compare.bind(this);
  }
  #folded(s) {
    const { sensitivity, ignorePunctuation } = this.#o;
    if (ignorePunctuation) s = s.replace(/[\s!-/:-@[-`{-~]/g, '');
    if (sensitivity === 'base' || sensitivity === 'case') s = s.normalize('NFD').replace(/[\u0300-\u036f]/g, '');
    return sensitivity === 'base' || sensitivity === 'accent' ? s.toLowerCase() : s;
  }
  compare(a, b) {
    const x = this.#folded(String(a)), y = this.#folded(String(b));
    if (!this.#o.numeric) return compareText.call(x, y);
    const p = x.match(/\d+|\D+/g) || [], q = y.match(/\d+|\D+/g) || [];
    for (let i = 0; i < Math.min(p.length, q.length); i++) {
      const digits = /^\d/.test(p[i]) && /^\d/.test(q[i]);
      const c = digits ? (BigInt(p[i]) < BigInt(q[i]) ? -1 : BigInt(p[i]) > BigInt(q[i]) ? 1 : 0) : compareText.call(p[i], q[i]);
      if (c) return c;
    }
    return Math.sign(p.length - q.length);
  }
  resolvedOptions() { return { ...this.#o }; }
  static supportedLocalesOf(l) { return supported(l); }
}

class Locale {
  #tag;
  constructor(tag) {
    const [language, ...more] = String(tag).replace(/-u-.*$/, '').split('-');
    this.language = language.toLowerCase();
    this.script = more.find((m) => m.length === 4 && /^[A-Za-z]+$/.test(m));
    this.region = more.find((m) => /^([A-Za-z]{2}|\d{3})$/.test(m))?.toUpperCase();
    this.baseName = this.#tag = [this.language, this.script, this.region].filter(Boolean).join('-');
  }
  toString() { return this.#tag; }
}
const none = (name) => class { constructor() { throw new Error(`Intl.${name} is not provided by the js runtime; use runtime = "nodejs22.x" for functions that need it`); } };

exports.Intl = Object.defineProperty({
  DateTimeFormat: callable(DateTimeFormat), NumberFormat: callable(NumberFormat), Collator: callable(Collator), PluralRules, RelativeTimeFormat, ListFormat, Locale, DisplayNames: none('DisplayNames'), Segmenter: none('Segmenter'), DurationFormat: none('DurationFormat'),
  getCanonicalLocales: (l) => [].concat(l ?? []).map((x) => new Locale(x).toString()),
  supportedValuesOf: (key) => { throw new Error(`Intl.supportedValuesOf(${key}) is not provided by the js runtime`); },
}, Symbol.toStringTag, { value: 'Intl', configurable: true });
// callable lets a class be called without new, as these three may be.
function callable(Class) {
  function F(...args) { return Reflect.construct(Class, args, this instanceof F && new.target !== F ? new.target : Class); } // see RegExp in prelude.js
  Object.setPrototypeOf(F, Class);
  F.prototype = Class.prototype;
  Object.defineProperty(F, 'name', { value: Class.name });
  Object.defineProperty(F.prototype, 'constructor', { value: F, writable: true, configurable: true });
  return F;
}
exports.dateText = (date, locales, options, required, defaults) => (isNaN(date) ? 'Invalid Date' : DateTimeFormat.make(locales, options, required, defaults).format(date));
exports.numberText = (n, locales, options) => new NumberFormat(locales, options).format(n);
