import { describe, expect, it } from 'vitest'
import {
  type ContainerOptions,
  containerName,
  containerSpecification,
  specificationDigest,
} from '../../../src/engine/fleet/container.js'

const options: ContainerOptions = {
  owner: '5Owner',
  image: 'vllm/vllm-openai:v0.10.0',
  cacheDir: '/var/targon/hub',
  hubToken: 'hf_x',
  gpuMemoryUtilization: 0.9,
}

describe('containerName', () => {
  it('is unique per model and owner and valid for Docker', () => {
    const names = ['a/b', 'a-b', 'a/b-c', 'École/模型', '/lead'].flatMap((model) => [
      containerName('5A', model),
      containerName('5B', model),
    ])
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/)
  })
})

describe('containerSpecification', () => {
  it('binds the port to this host only and uses the given GPUs', () => {
    const specification = containerSpecification(options, 'org/m', [1, 3])
    expect(specification.HostConfig.PortBindings).toEqual({
      '8000/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
    })
    expect(specification.HostConfig.DeviceRequests).toEqual([
      { DeviceIDs: ['1', '3'], Capabilities: [['gpu']] },
    ])
    expect(specification.Env).toContain('HF_TOKEN=hf_x')
    expect(specification.Cmd.join(' ')).toBe(
      '--model org/m --port 8000 --tensor-parallel-size 2 --gpu-memory-utilization 0.9 --max-logprobs 32 --no-enable-prefix-caching --generation-config vllm',
    )
  })

  it('starts vLLM 0.6 with the flag for token ids', () => {
    const { Cmd } = containerSpecification({ ...options, image: 'vllm/vllm-openai:v0.6.6' }, 'org/m', [0])
    expect(Cmd.slice(-3)).toEqual(['--max-logprobs', '32', '--return-tokens-as-token-ids'])
  })
})

describe('specificationDigest', () => {
  const digest = (change: Partial<ContainerOptions> = {}, gpuIds = [0]) =>
    specificationDigest({ ...options, ...change }, 'org/m', gpuIds)

  it('changes with image, arguments, cache and GPUs, but not with the hub token', () => {
    const others = [
      digest({ image: 'vllm/vllm-openai:latest' }),
      digest({ gpuMemoryUtilization: 0.8 }),
      digest({ cacheDir: '/other' }),
      digest({}, [1]),
    ]
    expect(new Set([digest(), ...others]).size).toBe(5)
    expect(digest({ hubToken: 'hf_y' })).toBe(digest())
  })
})
