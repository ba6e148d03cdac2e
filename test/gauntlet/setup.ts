import type { TestProject } from 'vitest/node'
import { compileScripts } from '../support/compiled.js'

/** Programs that the suites start as separate processes, by name. */
const SCRIPTS = {
  'accounts-user': './accounts-user-process.ts',
  miner: './miner-process.ts',
  naive: './naive-process.ts',
  flood: './flood-process.ts',
  'hostile-lists': './hostile-lists-process.ts',
  'history-writer': './history-writer-process.ts',
  'hotkey-lock': './hotkey-lock-process.ts',
  hub: './hub-process.ts',
  'role-files': './role-files-process.ts',
  'score-disk': './score-disk-process.ts',
  'score-writer': './score-writer-process.ts',
  'update-worker': '../support/update-worker.ts',
  'weights-worker': './weights-worker.ts',
} as const

type Scripts = Readonly<Record<keyof typeof SCRIPTS, string>>

declare module 'vitest' {
  export interface ProvidedContext {
    /** Paths of the compiled programs. */
    readonly scripts: Scripts
  }
}

/** Both gauntlet projects run this setup in one process; the programs are compiled once. */
const shared = globalThis as { gauntletScripts?: Promise<Scripts> }

/** Compiled, because the memory and start-up time of a loader would distort what is measured. */
export async function setup(project: TestProject): Promise<void> {
  if (!shared.gauntletScripts) announceSeed()
  shared.gauntletScripts ??= compileAll()
  project.provide('scripts', await shared.gauntletScripts)
}

function announceSeed(): void {
  const seed = process.env.GAUNTLET_SEED ?? ''
  if (!/^\d{1,10}$/.test(seed)) throw new Error(`GAUNTLET_SEED is ${seed}; it must be an integer.`)
  console.log(`gauntlet: seed ${seed}; GAUNTLET_SEED=${seed} repeats its random draws`)
}

async function compileAll(): Promise<Scripts> {
  const names = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[]
  const files = await compileScripts(...names.map((name) => new URL(SCRIPTS[name], import.meta.url)))
  return Object.fromEntries(names.map((name, index) => [name, files[index] ?? ''])) as Scripts
}
