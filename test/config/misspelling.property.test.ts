import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flagsOf } from '../../src/cli/index.js'
import { resolveSettings, type SettingName, settings, variableOf } from '../../src/config/index.js'
import { TargonError } from '../../src/kernel/errors.js'
import { probeCommand, runCommand } from '../support/cli.js'

const names = Object.keys(settings) as SettingName[]
const RUNS = 500

/** One typing error: a letter lost, doubled, swapped with its neighbour, or replaced. */
const typo = fc.record({
  kind: fc.constantFrom('lose', 'double', 'swap', 'replace'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  letter: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'),
})

function misspell(
  word: string,
  { kind, at, letter }: { kind: string; at: number; letter: string },
  first = 0,
) {
  const index = first + Math.floor(at * (word.length - first))
  const [before, here, after] = [word.slice(0, index), word[index] ?? '', word.slice(index + 1)]
  if (kind === 'lose') return before + after
  if (kind === 'double') return before + here + here + after
  if (kind === 'swap') return before + after.slice(0, 1) + here + after.slice(1)
  return before + letter + after
}

function refusalOf(run: () => unknown): TargonError | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof TargonError) return error
    throw error
  }
}

describe(`${RUNS} random misspellings are all refused`, () => {
  it('as a variable', () => {
    const known = new Set(names.map(variableOf))
    fc.assert(
      fc.property(fc.constantFrom(...names), typo, (name, how) => {
        const word = misspell(
          variableOf(name),
          { ...how, letter: how.letter.toUpperCase() },
          'TARGON_'.length,
        )
        fc.pre(!known.has(word) && !['TARGON_CONFIG', 'TARGON_LIVE'].includes(word))
        const error = refusalOf(() => resolveSettings('miner', { flags: {}, env: { [word]: 'x' } }))
        expect(error).toMatchObject({ code: 'CONFIG_UNKNOWN_VARIABLE', fault: 'usage' })
        expect(error?.message).toContain(word)
        expect(error?.next).toMatch(/^Did you mean TARGON_\w+\?$/)
      }),
      { numRuns: RUNS },
    )
  })

  it('as a key of the config file', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), typo, fc.boolean(), (name, how, nested) => {
        const key = misspell(name, how)
        fc.pre(key !== '' && !Object.hasOwn(settings, key) && !key.includes('..') && !/^\.|\.$/.test(key))
        const [head = '', ...rest] = key.split('.')
        const document = nested && rest.length > 0 ? { [head]: { [rest.join('.')]: 'x' } } : { [key]: 'x' }
        const configFile = { path: 'c.json', text: JSON.stringify(document) }
        const error = refusalOf(() => resolveSettings('validator', { flags: {}, env: {}, configFile }))
        expect(error).toMatchObject({ code: 'CONFIG_UNKNOWN_KEY', fault: 'usage' })
      }),
      { numRuns: RUNS },
    )
  })

  it('as a flag', async () => {
    const flags = flagsOf('miner')
    const command = probeCommand('miner', flags)
    const known = new Set([...Object.keys(flags), 'json', 'config', 'env-file', 'print-config'])
    const aliases = names.flatMap((name) => {
      const entry: { aliases?: readonly string[]; inverseAliases?: readonly string[] } = settings[name]
      return [...(entry.aliases ?? []), ...(entry.inverseAliases ?? [])]
    })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(flags)),
        typo,
        fc.boolean(),
        async (name, how, glued) => {
          const word = misspell(name, how)
          fc.pre(
            word !== '' &&
              !known.has(word) &&
              !known.has(word.replace(/^no-/, '')) &&
              !aliases.includes(word),
          )
          const argv = glued ? [`--${word}=x`] : [`--${word}`, 'x']
          const { status, stderr, stdout } = await runCommand(command, argv)
          expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
          expect(stderr).toContain(`Unknown flag --${word}. Did you mean --`)
        },
      ),
      { numRuns: RUNS },
    )
  })
})
