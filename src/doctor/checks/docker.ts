import { existsSync } from 'node:fs'
import type { ValidatorSettings } from '../../config/index.js'
import { DockerClient, findNvidiaSmi, readGpus } from '../../engine/index.js'
import type { Check, ValidatorContext } from '../context.js'
import { fail, ok, warn } from '../finding.js'
import type { Machine } from '../machine.js'

const FREE_SHARE = 0.9

/** Whether the validator runs its engines as containers, as engine/ decides it. */
export function usesDocker(settings: ValidatorSettings, { searchPath }: Machine): boolean {
  const mode = settings['engine.mode']
  if (mode !== 'auto') return mode === 'docker'
  if (settings['engine.endpoints'].length > 0) return false
  return existsSync(settings['engine.docker-socket']) && findNvidiaSmi(searchPath) !== undefined
}

export const dockerCheck: Check<ValidatorContext> = {
  id: 'docker',
  title: 'the answer of Docker',
  run: async ({ settings, machine }, signal) => {
    if (!usesDocker(settings, machine)) return []
    const client = new DockerClient(settings['engine.docker-socket'])
    const { version, apiVersion, runtimes } = await client.describe(signal)
    if (!runtimes.includes('nvidia'))
      return [
        fail(
          `Docker ${version} has no runtime for NVIDIA GPUs (it has ${runtimes.join(', ') || 'none'}).`,
          'Install nvidia-container-toolkit, run nvidia-ctk runtime configure --runtime=docker, and restart Docker.',
        ),
      ]
    return [ok(`Docker ${version} (API ${apiVersion}) with the NVIDIA runtime.`)]
  },
}

export const gpuCheck: Check<ValidatorContext> = {
  id: 'gpu',
  title: 'the answer of nvidia-smi',
  run: async ({ settings, machine }, signal) => {
    if (!usesDocker(settings, machine)) return []
    const gpus = await readGpus(machine.searchPath, signal)
    const free = gpus.filter(({ freeMib, totalMib }) => totalMib > 0 && freeMib / totalMib > FREE_SHARE)
    const all = gpus
      .map(({ id, freeMib, totalMib }) => `${id}: ${freeMib} of ${totalMib} MiB free`)
      .join('; ')
    if (free.length > 0) return [ok(`${free.length} of ${gpus.length} GPUs are free (${all}).`)]
    return [
      warn(
        `No GPU is free (${all}); engines of a running validator use theirs.`,
        'Stop what else uses the GPUs, unless it is this validator’s engines.',
      ),
    ]
  },
}
