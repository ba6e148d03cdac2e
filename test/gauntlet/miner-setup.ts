import type { TestProject } from 'vitest/node'
import { compileScripts } from '../support/compiled.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Files of the processes the miner’s attacks need, compiled. */
    readonly minerScripts: { readonly miner: string; readonly naive: string; readonly flood: string }
  }
}

/** Victims run as a release runs: the memory of a loader must not be taken for theirs. */
export async function setup(project: TestProject): Promise<void> {
  const names = ['miner', 'naive', 'flood'].map((name) => new URL(`./${name}-process.ts`, import.meta.url))
  const [miner = '', naive = '', flood = ''] = await compileScripts(...names)
  project.provide('minerScripts', { miner, naive, flood })
}
