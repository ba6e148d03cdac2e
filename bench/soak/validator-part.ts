import type { ChildProcess } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endProcess, forkScript, messageFrom, SUBJECT_CORE } from '../miner/processes.js'
import { judgeSamples } from './figures.js'
import { type PartResult, SAMPLES, type SoakOptions } from './part.js'
import type { Sample } from './sample.js'
import { MODELS, modelNamed } from './soak-models.js'
import type { ValidatorReading } from './validator-process.js'

const ROUNDS = 10_000
/** Fewer fill neither the windows of scores nor the evidence. */
const FEWEST_ROUNDS = 500

/** The real services of a validator over rounds and epochs on a clock that leaps, while miners and models come and go. */
export async function soakValidator({ scale, minutes, plant }: SoakOptions): Promise<PartResult> {
  const planned = Math.max(FEWEST_ROUNDS, Math.ceil(ROUNDS * scale))
  const server = await startListing()
  const { port } = server.address() as AddressInfo
  let child: ChildProcess | undefined
  try {
    const args = [port, planned, SAMPLES, minutes, plant].map(String)
    child = await forkScript('soak-validator', args, SUBJECT_CORE, ['--expose-gc'])
    const startedAt = performance.now()
    const samples: Sample[] = []
    let reading: ValidatorReading | undefined
    while (samples.length < SAMPLES) {
      reading = await messageFrom<ValidatorReading>(child)
      samples.push(reading.sample)
    }
    const seconds = (performance.now() - startedAt) / 1000
    const { rounds: done = 0, counts = {} } = reading ?? {}
    const figures = judgeSamples(samples)
    return {
      part: 'validator',
      unit: 'rounds',
      work: 'answer',
      done,
      planned,
      seconds,
      samples,
      figures,
      counts,
    }
  } finally {
    if (child) await endProcess(child, 'SIGTERM')
    server.close()
    server.closeAllConnections()
  }
}

/** All miners at one address, who are only asked which models they serve. */
function startListing(): Promise<Server> {
  const models = JSON.stringify(Array.from({ length: MODELS }, (_, number) => modelNamed(number)))
  const server = createServer((request, response) => {
    request.resume()
    response.end(request.method === 'GET' ? models : '""')
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}
