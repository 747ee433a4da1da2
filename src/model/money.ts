/** Money is an integer in minor units with its ISO 4217 currency, in lower case as on Stripe's wire. Never a float. */

/** Currencies whose minor unit is not 1/100, from the ISO 4217 table (list one). */
const EXPONENTS: Readonly<Record<string, number>> = {
  bif: 0,
  clp: 0,
  djf: 0,
  gnf: 0,
  isk: 0,
  jpy: 0,
  kmf: 0,
  krw: 0,
  pyg: 0,
  rwf: 0,
  ugx: 0,
  uyi: 0,
  vnd: 0,
  vuv: 0,
  xaf: 0,
  xof: 0,
  xpf: 0,
  bhd: 3,
  iqd: 3,
  jod: 3,
  kwd: 3,
  lyd: 3,
  omr: 3,
  tnd: 3,
  clf: 4,
  uyw: 4,
}

/** ISO 4217 (list one) currencies with two decimals. */
const TWO_DECIMALS = new Set(
  `aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob bov brl bsd btn bwp byn bzd cad cdf che chf chw cny
  cop cou crc cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr irr
  jmd kes kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mru mur mvr mwk mxn mxv myr mzn nad ngn nio
  nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs
  tmt top try ttd twd tzs uah usd usn uyu uzs ved ves wst xcd xcg yer zar zmw zwg`.split(/\s+/),
)

export interface Money {
  /** Minor units: cents for USD, yen for JPY, fils (1/1000) for BHD. */
  readonly value: number
  /** ISO 4217, lower case. */
  readonly currency: string
}

/** Decimals of the currency's minor unit; undefined for what ISO 4217 does not list. */
export const exponentOf = (currency: string): number | undefined =>
  EXPONENTS[currency] ?? (TWO_DECIMALS.has(currency) ? 2 : undefined)

export const isCurrency = (currency: string): boolean => exponentOf(currency) !== undefined

/** `{value: 1050, currency: 'usd'}` → `10.50 USD`. */
export function formatMoney({ value, currency }: Money): string {
  const digits = exponentOf(currency) ?? 0
  const padded = String(Math.abs(value)).padStart(digits + 1, '0')
  const whole = padded.slice(0, padded.length - digits)
  const sign = value < 0 ? '-' : ''
  return `${sign}${whole}${digits ? `.${padded.slice(-digits)}` : ''} ${currency.toUpperCase()}`
}

/** Rates are units of `to` per one unit of `from`, in major units; rounding is up, so that a cap is never passed by rounding. */
export function convert(money: Money, to: string, rate: number): Money {
  const shift = (exponentOf(to) ?? 0) - (exponentOf(money.currency) ?? 0)
  return { value: Math.ceil(money.value * rate * 10 ** shift - 1e-9), currency: to }
}
