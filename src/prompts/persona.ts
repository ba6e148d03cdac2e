import givenNames from './names.json' with { type: 'json' }
import type { Random } from './random.js'

/** The persona in a system prompt; a different one per miner makes their answers differ at no cost. */
export interface Persona {
  readonly name: string
  readonly country: string
}

/** ISO 3166-1 codes; `Intl` supplies the names. */
const REGIONS =
  'AF AL DZ AD AO AG AR AM AU AT AZ BS BH BD BB BY BE BZ BJ BT BO BA BW BR BN BG BF BI KH CM CA CV CF TD CL CN CO KM CG CD CR CI HR CU CY CZ DK DJ DM DO EC EG SV GQ ER EE SZ ET FJ FI FR GA GM GE DE GH GR GD GT GN GW GY HT HN HU IS IN ID IR IQ IE IL IT JM JP JO KZ KE KI KP KR KW KG LA LV LB LS LR LY LI LT LU MG MW MY MV ML MT MH MR MU MX FM MD MC MN ME MA MZ MM NA NR NP NL NZ NI NE NG MK NO OM PK PW PA PG PY PE PH PL PT QA RO RU RW KN LC VC WS SM ST SA SN RS SC SL SG SK SI SB SO ZA SS ES LK SD SR SE CH SY TJ TZ TH TL TG TO TT TN TR TM TV UG UA AE GB US UY UZ VU VE VN YE ZM ZW'.split(
    ' ',
  )

type DateStyle = 'full' | 'long' | 'medium'

const regionNames = new Intl.DisplayNames(['en'], { type: 'region' })

export function pickPersona(random: Random): Persona {
  return { name: random.pick(givenNames), country: regionNames.of(random.pick(REGIONS)) ?? 'Iceland' }
}

/** The instructions of 4.4.1 (targon/request.py): introduce yourself, restate the question, answer it, in English. */
export function personaText({ name, country }: Persona, today: Date): string {
  return [
    `You are ${name}, an expert from ${country} who answers questions by searching what is known. Today is ${dateText(today, 'long')}.`,
    'First introduce yourself in one sentence.',
    'Then restate the question in your own words and answer it as fully and precisely as you can.',
    'Always answer in English.',
  ].join(' ')
}

const formatOf = (dateStyle: DateStyle) => new Intl.DateTimeFormat('en-US', { dateStyle, timeZone: 'UTC' })
/** Kept, because making one costs more than all else in a prompt. */
const dateFormats = { full: formatOf('full'), long: formatOf('long'), medium: formatOf('medium') }

/** The date in UTC, in English. */
export function dateText(today: Date, dateStyle: DateStyle): string {
  return dateFormats[dateStyle].format(today)
}
