import { z } from 'zod'
import { parseIpPort } from '../kernel/index.js'

/** A switch in the spellings of 4.x; oclif would read any other word as false, this refuses it. */
export const switchValue = z.union([
  z.boolean(),
  z
    .string()
    .regex(/^(1|0|t|f|true|false|y|n|yes|no)$/i, 'must be yes/true/t/1 or no/false/f/0')
    .transform((text) => /^(1|t|true|y|yes)$/i.test(text)),
])

const numeric = z.union([
  z.number(),
  z
    .string()
    .trim()
    .regex(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, 'must be a number')
    .transform(Number),
])

export const integerValue = (min: number, max: number) =>
  numeric.pipe(z.number().int('must be a whole number').min(min).max(max))

export const numberValue = (min: number, max: number) => numeric.pipe(z.number().min(min).max(max))

export const portValue = integerValue(0, 65535)

export const textValue = z.string().min(1, 'must not be empty')

export const optionalText = textValue.optional()

/** A secret without the line feed that files and shells append; a refusal never repeats it. */
const trimmedSecret = z.string().trim().min(1, 'must not be empty')

/** A key that is sent in an HTTP header. */
export const keyValue = trimmedSecret.regex(
  /^[\x20-\x7e]*$/,
  'must contain only printable ASCII characters, on one line',
)

/** An address that contains a password. */
export const secretAddress = trimmedSecret.regex(/^\P{Cc}*$/u, 'must be one line without control characters')

/** A list: repeated flag, comma-separated text, or an array in the config file. */
export const listValue = z.union([z.array(z.string()), z.string()]).transform((value) =>
  (Array.isArray(value) ? value : [value])
    .flatMap((item) => item.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

/** A list whose items must all match; a refusal names the first that does not. */
export const listOf = (fits: (item: string) => boolean, must: string) =>
  listValue.superRefine((items, context) => {
    const wrong = items.find((item) => !fits(item))
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: must, params: { got: wrong } })
  })

/** `ip:port`, an IPv6 address in brackets. */
export const axonValue = z
  .string()
  .refine(
    (text) => parseIpPort(text) !== undefined,
    'must be ip:port, such as 203.0.113.5:8091 or [2001:db8::1]:8091',
  )

/** `96-192` or `128`, or both ends as an object. */
export const rangeValue = z
  .union([
    z.object({ min: z.number().int(), max: z.number().int() }),
    z
      .string()
      .regex(/^\d+(-\d+)?$/, 'must be a number or a range like 96-192')
      .transform((text) => {
        const [low, high] = text.split('-').map(Number)
        return { min: low ?? 0, max: high ?? low ?? 0 }
      }),
  ])
  .refine(
    ({ min, max }) => min >= 1 && min <= max,
    'must be a range like 96-192, from 1 up and lower bound first',
  )
