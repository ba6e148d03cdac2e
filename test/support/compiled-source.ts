import { rm } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { TestProject } from 'vitest/node'
import { compileSource } from './compiled.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of a folder with the compiled source and the programs of tests, at the same paths as in the project. */
    readonly compiledSource: string | undefined
  }
}

/** Every unit project runs this setup in one process; the source is compiled once. */
const shared = globalThis as { compiledSource?: Promise<string> }

/** Compiles the source for the threads and programs that tests start: a loader costs each of them a second of CPU. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const isFirst = shared.compiledSource === undefined
  shared.compiledSource ??= compileSource()
  const folder = await shared.compiledSource
  project.provide('compiledSource', pathToFileURL(`${folder}/`).href)
  return isFirst ? () => rm(folder, { recursive: true, force: true, maxRetries: 3 }) : undefined
}
