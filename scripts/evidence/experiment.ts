// npm run evidence: measures false alarms and power of the evidence, then draws docs/evidence. `--help` lists the options.
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { alarmThreshold, DEFAULT_FLOORS, type NoiseLevels } from '../../src/evidence/index.js'
import { calibratedLevels } from '../../test/support/evidence-simulation/index.js'
import { HonestRun, MINER_ANSWERS } from './honest.js'
import { drawCurve, measurePower } from './power.js'
import { type HonestResult, readResults, saveResults } from './results.js'
import { CALIBRATED, CHEATS, DRAWN, HONEST_SERVERS } from './servers.js'
import { writeEvidencePage } from './write-page.js'

const HELP = `npm run evidence [-- part… [--answers n] [--runs n] [--minutes n]]

Parts, all without any: honest, power, curves, page (draws the figures and tables from results.json again).
  --answers n  answers of each of the ten honest servers (default 10000)
  --runs n     runs of each cheat (default 20)
  --minutes n  stops the honest part after this time, with what it has by then (default: no limit)
  --continue   continues the honest part of results.json instead of starting it again
The same options give the same numbers on every machine, unless the time limit ends the honest part.`

/** Answers of a miner per month that a validator assumes before it has measured its own: one of 1,216 tokens every 12 s. */
const ANSWERS_PER_MONTH = 213_158
const FALSE_ALARM = 1e-6
const LOOSE = { falseAlarm: 1e-2, answersPerMonth: 100 }
/** Tokens after which a run gives up. */
const LIMIT = 30_000

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    answers: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '20' },
    minutes: { type: 'string', default: 'Infinity' },
    continue: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const includes = (part: string) => positionals.length === 0 || positionals.includes(part)
const threshold = alarmThreshold(FALSE_ALARM, ANSWERS_PER_MONTH)
const rules = { threshold, cleanAnswers: 100 }

if (['power', 'honest', 'curves'].some(includes)) {
  const levels = calibratedLevels({ noise: CALIBRATED, dialect: 'murmur3' }, 300, DEFAULT_FLOORS)
  const measured = {
    ...{ falseAlarm: FALSE_ALARM, answersPerMonth: ANSWERS_PER_MONTH },
    ...{ threshold: Math.log10(threshold), calibrated: CALIBRATED, levels },
  }
  const last = values.continue ? readResults() : undefined
  saveResults({
    rules: measured,
    loose: { ...LOOSE, threshold: Math.log10(alarmThreshold(LOOSE.falseAlarm, LOOSE.answersPerMonth)) },
  })
  const options = { levels, rules, runs: Number(values.runs), limit: LIMIT }
  if (includes('curves')) saveResults({ curves: DRAWN.map((cheat) => drawCurve(cheat, options)) })
  if (includes('power')) {
    const power = CHEATS.map((cheat) => {
      const result = measurePower(cheat, options)
      const { suspicion, alarm, runs } = result
      console.log(
        `${cheat.name}: suspicion ${suspicion.runs}/${runs} ${suspicion.median}, alarm ${alarm.runs}/${runs} ${alarm.median}`,
      )
      return result
    })
    saveResults({ power })
  }
  // Results under other rules are another experiment.
  const before = last && isDeepStrictEqual(last.rules, measured) ? last.honest : []
  if (includes('honest')) runHonest(levels, Number(values.answers), Number(values.minutes), before)
}
writeEvidencePage()

/** One miner of every honest server in turn, so that a time limit cuts them evenly. The results are saved after each turn. */
function runHonest(levels: NoiseLevels, answers: number, minutes: number, before: HonestResult[]): void {
  const end = performance.now() + minutes * 60_000
  const runs = HONEST_SERVERS.map((server, seed) => {
    const done = before.find(({ name }) => name === server.name)
    return new HonestRun(server, { levels, rules, loose: LOOSE, seed }, done)
  })
  for (let turn = 0; turn < answers && performance.now() < end; turn += MINER_ANSWERS) {
    const goal = Math.min(answers, turn + MINER_ANSWERS)
    for (const run of runs) run.advance(goal - run.result.answers)
    saveResults({ honest: runs.map(({ result }) => result) })
    const total = runs.reduce((sum, { result }) => sum + result.answers, 0)
    const alarms = runs.reduce((sum, { result }) => sum + result.alarms, 0)
    console.log(`${total} honest answers, ${alarms} alarms`)
  }
}
