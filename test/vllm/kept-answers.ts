import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { packAnswer, packedAnswer, unpackAnswer } from '../../src/bundles/columns.js'
import type { Verdict } from '../../src/verification/index.js'
import type { Configuration } from './configurations.js'
import { OLD_VLLM_VERSION, VLLM_VERSION, type VllmEnvironment } from './environment.js'
import type { FieldAnswer } from './field.js'

/** Counts up when requests, flags of the servers or the judging of an answer change, so that all answers are asked for again. */
const RIG = 1

/** The answers of one configuration, one JSON line each, so that an interrupted suite goes on where it stopped. */
export interface KeptAnswers {
  readonly path: string
  /** By the index of the request. */
  readonly answers: ReadonlyMap<number, FieldAnswer>
  add(index: number, answer: FieldAnswer): Promise<void>
}

/** The file's name has a hash of whatever the answers depend on: the number of answers is free to change. */
export function openKeptAnswers(environment: VllmEnvironment, configuration: Configuration): KeptAnswers {
  const { name, runner, weights, flags, requests } = configuration
  const folder = join(environment.cache, 'answers')
  const made = {
    ...{
      rig: RIG,
      vllm: [VLLM_VERSION, ...(runner === 'v0' ? [OLD_VLLM_VERSION] : [])].join(' '),
      runner,
      flags,
      requests,
    },
    weights: hashOf(readFileSync(join(environment.models, weights, 'model.safetensors'))),
    reference: hashOf(readFileSync(join(environment.models, 'honest', 'model.safetensors'))),
  }
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}-${hashOf(JSON.stringify(made)).slice(0, 12)}.jsonl`)
  const answers = existsSync(path) ? read(path) : new Map<number, FieldAnswer>()
  return {
    path,
    answers,
    add: async (index, answer) => {
      answers.set(index, answer)
      const compared = answer.compared && (await packAnswer(answer.compared))
      appendFileSync(path, `${JSON.stringify({ index, verdict: answer.verdict, compared })}\n`)
    },
  }
}

/** A line that was cut off while it was written is removed. */
function read(path: string): Map<number, FieldAnswer> {
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole))
  const answers = new Map<number, FieldAnswer>()
  for (const line of whole.split('\n').filter(Boolean)) {
    const { index, verdict, compared } = JSON.parse(line) as {
      readonly index: number
      readonly verdict: Verdict
      readonly compared?: unknown
    }
    answers.set(index, {
      verdict,
      compared: compared ? unpackAnswer(packedAnswer.parse(compared)) : undefined,
    })
  }
  return answers
}

function hashOf(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
