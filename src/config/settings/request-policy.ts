import { z } from 'zod'
import { settingIn } from '../setting.js'

const names = z.array(z.string().min(1).max(100))

/** Changes to the default policy. */
const changes = z.strictObject({
  allow: names.optional(),
  deny: names.optional(),
  ceilings: z.record(z.string().min(1).max(100), z.number().min(0)).optional(),
  content: names.optional(),
})

const MUST = 'must be default, off, or a JSON object with allow, deny, ceilings and content'

const words = ['default', 'off'] as const

/** A word, an object in the config file, or its JSON text in a flag or variable. */
const policy = z.union([
  changes,
  z
    .string()
    .regex(/^(default|off|\s*\{[\s\S]*)$/, MUST)
    .transform((text, context): unknown => {
      if (!text.includes('{')) return text
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue(MUST)
        return z.NEVER
      }
    })
    .pipe(z.union([changes, z.enum(words)])),
])

/** What callers may ask of the model servers. */
export const requestPolicySetting = {
  'request-policy': settingIn('MINER', ['miner'])({
    kind: 'text',
    schema: policy,
    default: 'default',
    words,
    help: 'Which members a request may have: default, off, or a JSON object of changes to the default, {allow, deny, ceilings, content}; best set in the config file.',
  }),
} as const
