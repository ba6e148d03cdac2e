import { writeSync } from 'node:fs'
import pino from 'pino'
import { openAccounts } from '../../src/accounts/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { hasCode } from '../../src/kernel/errors.js'
import { createRandom } from '../../src/prompts/random.js'

/**
 * A replica of the hub with a few requests at a time, until it is killed. Each request asks a model of its own, so that the usage
 * table shows what it was charged. Every step is written to standard output at once: `<model> asks`, `<model> runs`,
 * `<model> used <tokens>`, `<model> settled`.
 */
const [placeText = '', secret = '', run = '', seed = ''] = process.argv.slice(2)
const place = placeText.startsWith('postgres') ? { url: placeText } : { file: placeText }
const times = { leaseMs: 8000, extendMs: 200, graceMs: 400 }
const accounts = openAccounts({ place, clock: systemClock, log: pino({ level: 'silent' }), times })
const say = (line: string) => void writeSync(1, `${line}\n`)

async function ask(model: string): Promise<void> {
  const key = await accounts.find(secret)
  if (!key) throw new Error('the key is unknown')
  say(`${model} asks`)
  const answer = await accounts.reserve(key, { model, tokens: 100 }, new AbortController().signal)
  if (answer.kind === 'refused') throw new Error(answer.reason)
  say(`${model} runs`)
  const draws = createRandom(`${seed} ${model}`)
  await systemClock.sleep(draws.next() * 30)
  const completionTokens = draws.integer(0, 89)
  say(`${model} used ${completionTokens + 1}`)
  await answer.settle({ promptTokens: 1, completionTokens })
  say(`${model} settled`)
}

async function askOneAfterTheOther(lane: number): Promise<never> {
  for (let request = 0; ; request++) {
    await ask(`run ${run} lane ${lane} request ${request}`).catch((error: unknown) => {
      // on a machine with other work the database may answer too late
      if (!hasCode(error, 'ACCOUNTS_UNAVAILABLE')) throw error
    })
  }
}

await Promise.all([0, 1, 2, 3].map(askOneAfterTheOther))
