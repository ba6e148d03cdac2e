import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DockerClient } from '../../../src/engine/index.js'
import { type FakeDocker, startFakeDocker } from '../../support/fake-docker.js'

let folder: string
let docker: FakeDocker
let client: DockerClient

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'docker-'))
  docker = await startFakeDocker(join(folder, 'docker.sock'))
  client = new DockerClient(join(folder, 'docker.sock'))
})
afterEach(async () => {
  await docker.close()
  await rm(folder, { recursive: true, force: true })
})

const signal = () => AbortSignal.timeout(20_000)
const list = () => client.list('io.targon.owner=5Owner', signal())

describe('DockerClient', () => {
  it.each([
    ["Docker 20.10, of 4.4.1's time", 12, 41],
    ['Docker 25', 24, 44],
    ['Docker 29, which refuses 1.41', 44, 52],
    ['a release of the future', 90, 99],
    ['a daemon that names no version', 12, undefined],
  ])('speaks the API version of %s', async (_, oldest, newest) => {
    docker.api = { oldest, newest }
    expect(await list()).toEqual([])
    await client.pull('vllm/vllm-openai:latest', undefined, signal(), () => {})
    expect(await client.hasImage('vllm/vllm-openai:latest', signal())).toBe(true)
  })

  it('asks again when the daemon was replaced by one with other versions', async () => {
    await list()
    docker.api = { oldest: 44, newest: 52 }
    expect(await list()).toEqual([])
    docker.api = { oldest: 12, newest: 41 }
    await client.pull('vllm/vllm-openai:latest', undefined, signal(), () => {})
  })

  it('refuses a daemon that cannot give GPUs to a container', async () => {
    docker.api = { oldest: 12, newest: 39 }
    await expect(list()).rejects.toMatchObject({
      code: 'DOCKER',
      message: expect.stringContaining('speaks API version 1.39'),
      next: 'Install Docker 20.10 or newer.',
    })
  })

  it('says that Docker has to be started when nothing listens at the socket', async () => {
    const absent = new DockerClient(join(folder, 'absent.sock'))
    await expect(absent.list('a=b', signal())).rejects.toMatchObject({
      code: 'DOCKER',
      fault: 'upstream',
      next: expect.stringContaining('Start Docker'),
    })
  })

  it('shows the login to the registry and nowhere else', async () => {
    docker.pullFails = true
    const login = { username: 'ops', password: 'pw-ß-1' }
    const refused = client.pull('registry.example/vllm:1', login, signal(), () => {})
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('pw-') })
    expect(docker.login).toEqual(login)
    await client.pull('vllm/vllm-openai:1', undefined, signal(), () => {}).catch(() => {})
    expect(docker.login).toBeUndefined()
  })

  it('takes a container that is gone as removed', async () => {
    await client.remove('0123456789ab', signal())
  })
})
