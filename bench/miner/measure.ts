import { type BenchSelection, median } from '../row.js'
import type { Sample, Samples } from './figures.js'
import type { LoadOrder, LoadResult } from './load.js'
import { forkScript, messageFrom, type Subject } from './processes.js'

/** The process that sends loads, one after the other. */
export interface Loader {
  send(order: LoadOrder): Promise<LoadResult>
  stop(): void
}

export async function startLoader(): Promise<Loader> {
  const child = await forkScript('load')
  await messageFrom(child)
  return {
    send: async (order) => {
      const answer = messageFrom<LoadResult>(child)
      child.send(order)
      return await answer
    },
    stop: () => void child.kill('SIGKILL'),
  }
}

/** Sends a load before the measurements. @throws Error when nothing is answered: figures of refusals would look good */
export async function warm(subject: Subject, order: Omit<LoadOrder, 'port'>, loader: Loader): Promise<void> {
  const { errors } = await loader.send({ ...order, port: subject.port })
  if (errors === order.requests) throw new Error(`${subject.name} answers no request`)
}

/**
 * Rounds are interleaved, so that a busy moment of the machine affects all alike.
 *
 * @param orderOf the load for one of them: a slow one gets fewer requests
 */
export async function measure<S extends Subject>(
  subjects: readonly S[],
  orderOf: (subject: S) => Omit<LoadOrder, 'port'>,
  { rounds }: BenchSelection,
  loader: Loader,
): Promise<Samples> {
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      const before = subject.cpuSeconds()
      const order = orderOf(subject)
      const result = await loader.send({ ...order, port: subject.port })
      const sorted = result.firstByteMs.sort((a, b) => a - b)
      samples.get(subject.name)?.push({
        requestsPerSecond: order.requests / result.seconds,
        chunksPerSecond: result.chunks / result.seconds,
        cpuPerThousand: ((subject.cpuSeconds() - before) / order.requests) * 1000,
        firstByteP50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
        firstByteP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
        rssMegabytes: subject.rssMegabytes(),
        errors: result.errors,
      })
    }
  }
  return new Map([...samples].map(([name, all]) => [name, medianOf(all)]))
}

function medianOf(all: readonly Sample[]): Sample {
  const of = (pick: (sample: Sample) => number) => median(all.map(pick))
  return {
    requestsPerSecond: of((one) => one.requestsPerSecond),
    chunksPerSecond: of((one) => one.chunksPerSecond),
    cpuPerThousand: of((one) => one.cpuPerThousand),
    firstByteP50Ms: of((one) => one.firstByteP50Ms),
    firstByteP99Ms: of((one) => one.firstByteP99Ms),
    rssMegabytes: of((one) => one.rssMegabytes),
    errors: Math.max(...all.map((one) => one.errors)),
  }
}
