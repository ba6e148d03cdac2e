import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../src/config/index.js'
import { type Answers, shownAnswers, startCommandFor, writeSettings } from '../../src/setup/index.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const readEnv = (text: string) =>
  resolveSettings('miner', { flags: {}, env: {}, dotenvFiles: [{ path: '.env', text }] }).values
const readConfig = (path: string) => (text: string) =>
  resolveSettings('miner', { flags: {}, env: {}, configFile: { path, text } }).values
const readJson = readConfig('targon.config.json')

describe('the settings file that targon init writes', () => {
  it('gives back any wallet name and key', () => {
    const word = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,20}[\x21-\x7e])?$/)
    fc.assert(
      fc.property(word, word, (name, key) => {
        const answers: Answers = new Map([
          ['wallet.name', name],
          ['api-key', key],
        ])
        const quotes = ["'", '"', '`']
        for (const [format, read] of [
          ['env', readEnv],
          ['json', readJson],
          ['yaml', readConfig('targon.config.yaml')],
        ] as const) {
          const isHard = [name, key].some(
            (text) => quotes.filter((mark) => text.includes(mark)).length > 1 || text.includes('\\'),
          )
          if (format === 'env' && isHard) continue
          const values = read(writeSettings(format, 'miner', answers))
          expect([values['wallet.name'], values['api-key']]).toEqual([name, key])
        }
      }),
    )
  })

  it('refuses a value that no quotes hold, and names the other format', () => {
    const answers: Answers = new Map([['api-key', `'"\``]])
    expect(() => writeSettings('env', 'miner', answers)).toThrow(/every kind of quotes/)
    expect(readJson(writeSettings('json', 'miner', answers))['api-key']).toBe(`'"\``)
  })

  it('masks secrets in what it shows', () => {
    const answers: Answers = new Map()
    answers.set('wallet.name', 'mine')
    answers.set('api-key', 'secret')
    answers.set('upstreams', [{ url: 'http://127.0.0.1:8000/v1', apiKey: 'secret' }])
    expect(JSON.stringify(shownAnswers(answers))).not.toContain('secret')
  })
})

describe('the start command', () => {
  /** A machine with these programs, and a checkout with the files of deploy/. */
  function machine(programs: readonly string[], hasSystemd = false) {
    const folder = temporaryFolder('start')
    const [programFolder, bin, systemd] = ['targon', 'bin', 'systemd'].map((name) => join(folder, name))
    for (const path of [join(programFolder ?? '', 'deploy', 'systemd'), bin ?? ''])
      mkdirSync(path, { recursive: true })
    if (hasSystemd) mkdirSync(systemd ?? '')
    for (const name of [
      'ecosystem.config.cjs',
      'compose.yaml',
      'launcher.mjs',
      'systemd/targon-miner.service',
      'systemd/targon-hub.service',
    ])
      writeFileSync(join(programFolder ?? '', 'deploy', name), '')
    for (const name of programs) writeFileSync(join(bin ?? '', name), '')
    const place = { role: 'miner', programFolder, workingFolder: programFolder, searchPath: bin } as const
    return { ...place, systemdFolder: systemd } as Parameters<typeof startCommandFor>[0]
  }

  it.each([
    ['pm2', ['pm2', 'docker'], true, /^pm2 start \S+ecosystem\.config\.cjs --only targon-miner$/],
    ['systemd', ['docker'], true, /^# docs\/deploy\.md, systemd, first: /],
    [
      'compose',
      ['docker'],
      false,
      /^mkdir -p ~\/\.targon\/miner && .*docker compose -f \S+compose\.yaml up -d miner$/,
    ],
    ['plain', [], false, /^node \S+launcher\.mjs miner start$/],
  ] as const)('uses %s where it is there', (manner, programs, hasSystemd, first) => {
    const command = startCommandFor(machine(programs, hasSystemd))
    expect(command.manner).toBe(manner)
    expect(command.commands[0]).toMatch(first)
  })

  it.each([
    ['pm2', ['pm2'], false, /^node \S+bin\/run\.js hub keys create NAME$/],
    [
      'systemd',
      [],
      true,
      /^sudo -u targon env .*=\/var\/lib\/targon-hub\/neurons node .*\/etc\/targon\/hub\.env$/,
    ],
    [
      'compose',
      ['docker'],
      false,
      /^docker compose -f \S+compose\.yaml --profile hub exec hub node .* hub keys create NAME$/,
    ],
  ] as const)(
    'creates keys of a hub where one that %s started looks for them',
    (manner, programs, hasSystemd, key) => {
      const command = startCommandFor({ ...machine(programs, hasSystemd), role: 'hub' })
      expect(command.manner).toBe(manner)
      expect(command.keyCommand).toMatch(key)
    },
  )

  it('starts in the folder of the settings when that is another one', () => {
    const workingFolder = join(temporaryFolder('elsewhere'), "it's here")
    const { manner, commands } = startCommandFor({ ...machine(['pm2', 'docker']), workingFolder })
    expect(manner).toBe('plain')
    expect(commands[0]).toMatch(/^cd '.*it'\\''s here' && node /)
  })
})
