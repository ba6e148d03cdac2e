import type { TestProject } from 'vitest/node'
import { prepareVllm, type VllmEnvironment } from './environment.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The environment, or why there is none. */
    readonly vllm: VllmEnvironment | string
  }
}

export async function setup(project: TestProject): Promise<void> {
  const vllm = await prepareVllm()
  if (typeof vllm === 'string') console.warn(`The suite with a real vLLM is skipped: ${vllm}.`)
  project.provide('vllm', vllm)
}
