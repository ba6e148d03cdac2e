import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { MINUTES } from './minutes.js'

/** Distributes files over shards, the longest first, each to the shard with the fewest minutes. @returns the files of each shard. */
export function dealFiles<T>(
  files: readonly T[],
  count: number,
  minutesOf: (file: T) => number,
): readonly (readonly T[])[] {
  const shards = Array.from({ length: count }, () => ({ minutes: 0, files: [] as T[] }))
  for (const file of files.toSorted((a, b) => minutesOf(b) - minutesOf(a))) {
    const [least] = shards.toSorted((a, b) => a.minutes - b.minutes)
    if (!least) throw new RangeError(`The number of shards must be at least 1, not ${count}.`)
    least.files.push(file)
    least.minutes += minutesOf(file)
  }
  return shards.map((shard) => shard.files)
}

const minutesOf = ({ moduleId }: TestSpecification) => MINUTES[basename(moduleId, '.test.ts')] ?? 1

/**
 * `--shard 2/6` runs a sixth of the minutes of the gauntlet, where vitest alone would take a sixth of its files.
 *
 * @public
 */
export class EvenShards extends BaseSequencer {
  override async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { shard } = this.ctx.config
    if (!shard) return files
    const named = files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
    return [...(dealFiles(named, shard.count, minutesOf)[shard.index - 1] ?? [])]
  }
}
