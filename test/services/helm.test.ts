import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { inheritableEnvironment, settings, variableOf } from '../../src/config/index.js'
import { packageVersion } from '../../src/kernel/index.js'
import { temporaryFolder } from '../support/temporary-folder.js'

// The chart with the real helm and kubeconform; .ci/install-helm.sh installs them.
const chart = fileURLToPath(new URL('../../deploy/helm', import.meta.url))
const tools =
  process.env.TARGON_TEST_HELM_TOOLS ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'targon-helm')
const problem = problemOf()
if (problem !== undefined) console.warn(`helm.test.ts is skipped: ${problem}.`)

const examples = readdirSync(join(chart, 'ci'))
const variables = new Set(Object.keys(settings).map((name) => variableOf(name as keyof typeof settings)))
const SECRETS = /API_KEY|PASSWORD$|DATABASE_URL|SECRET/

describe.skipIf(problem !== undefined)(`the Helm chart (${problem ?? 'runs'})`, () => {
  it('is accepted by helm lint --strict with every example', () => {
    const files = examples.map((name) => join(chart, 'ci', name))
    for (const file of files)
      expect(tool('helm', 'lint', '--strict', chart, ...VERSION, '--values', file)).toContain(
        '0 chart(s) failed',
      )
    expect(examples).toHaveLength(7)
  })

  it('is of the version of this release', () => {
    const { appVersion } = z
      .object({ appVersion: z.string() })
      .parse(parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')))
    expect(appVersion).toBe(packageVersion())
  })

  it.each([
    ['an unknown value', ['miner.replica=2'], /replica/],
    [
      'replicas without a shared replay guard',
      ['miner.replicas=2'],
      'need a shared replay guard: set redis.enabled',
    ],
    [
      'both roles with one hotkey',
      ['validator.enabled=true', 'validator.engineEndpoints={m=http://e/v1}'],
      'One release is one hotkey in one role',
    ],
    [
      'hub replicas without a shared database',
      ['miner.enabled=false', 'hub.enabled=true', 'hub.replicas=2'],
      'need a shared PostgreSQL database: set hub.databaseSecret.name',
    ],
    [
      'a hub with the hotkey of a miner',
      ['hub.enabled=true'],
      'install miner and hub as releases of their own',
    ],
    [
      'a miner without an address',
      ['miner.externalIp='],
      'miner.externalIp is the address that validators reach',
    ],
  ])('refuses %s', (_, values, message) => {
    const flags = values.flatMap((value) => ['--set', value])
    const { status, stderr } = spawnSync(join(tools, 'bin/helm'), [...template('miner.yaml'), ...flags], {
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(stderr).toMatch(message)
  })

  describe.each(examples)('with %s', (example) => {
    const objects = problem === undefined ? render(example) : []
    const pods = objects.flatMap((object) => {
      const found = workload.safeParse(object)
      return found.success ? [found.data.spec.template.spec] : []
    })

    it('is what Kubernetes and the Prometheus operator understand', () => {
      const text = tool('helm', ...template(example))
      expect(conform(text)).toMatch(/Invalid: 0, Errors: 0/)
      const misspelt = text.replace('automountServiceAccountToken', 'autoMountServiceAccountToken')
      expect(conform(misspelt)).toMatch(/Invalid: 1, Errors: 0/)
      for (const monitor of objects.filter(({ kind }) => kind === 'ServiceMonitor')) {
        const read = spawnSync(join(tools, 'bin/service-monitor'), {
          input: JSON.stringify(monitor),
          encoding: 'utf8',
        })
        expect(read).toMatchObject({ status: 0, stderr: '' })
      }
    })

    it('runs nothing as root, with a writable root or without limits', () => {
      expect(pods.length).toBeGreaterThan(0)
      for (const pod of pods) {
        expect(pod).toMatchObject({
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 10_001,
            seccompProfile: { type: 'RuntimeDefault' },
          },
        })
        for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod).not.toHaveProperty(key)
        for (const volume of pod.volumes) expect(volume).not.toHaveProperty('hostPath')
        for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
          expect(container.securityContext).toEqual({
            ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
            capabilities: { drop: ['ALL'] },
          })
          for (const kind of ['requests', 'limits'] as const)
            expect(container.resources[kind]).toEqual({ cpu: expect.any(String), memory: expect.any(String) })
          expect(container.image).toMatch(/(:[\w.-]*\d[\w.-]*|@sha256:[0-9a-f]{64})$/)
        }
      }
    })

    it('takes every secret by reference, and knows every variable', () => {
      const entries = pods.flatMap(({ containers }) => containers.flatMap(({ env }) => env ?? []))
      expect(entries.length).toBeGreaterThan(5)
      for (const { name, value } of entries) {
        expect(variables).toContain(name)
        if (SECRETS.test(name)) expect(value === undefined || value.startsWith('/wallets/')).toBe(true)
      }
    })

    it('selects only its own pods', () => {
      const labels = objects.flatMap((object) => {
        const found = workload.safeParse(object)
        if (!found.success) return []
        const { metadata, spec } = found.data
        // what Kubernetes adds to the pods of a StatefulSet
        const first = { 'statefulset.kubernetes.io/pod-name': `${metadata.name}-0` }
        const own: Record<string, string> = { ...spec.template.metadata.labels, ...first }
        return [own]
      })
      const services = objects.flatMap((object) => {
        const found = service.safeParse(object)
        return found.success ? [found.data.spec.selector] : []
      })
      for (const selector of services)
        expect(
          labels.some((pod) => Object.entries(selector).every(([key, value]) => pod[key] === value)),
        ).toBe(true)
    })
  })

  it('lets exactly one of several replicas announce the address', () => {
    const minerPods = render('miner-replicas.yaml').flatMap((object) => {
      const found = workload.safeParse(object)
      const env = found.success ? found.data.spec.template.spec.containers[0]?.env : undefined
      const announce = env?.find(({ name }) => name === 'TARGON_AXON_ANNOUNCE')?.value
      return found.success && announce !== undefined ? [{ announce, replicas: found.data.spec.replicas }] : []
    })
    expect(minerPods).toEqual([
      { announce: 'true', replicas: 1 },
      { announce: 'false', replicas: 2 },
    ])
  })

  it('sends users to every hub, and validators to the one whose records they report on', () => {
    const objects = render('hub.yaml')
    const services = objects.flatMap((object) => {
      const found = service.safeParse(object)
      return found.success ? [[found.data.metadata.name, found.data.spec.selector] as const] : []
    })
    const pinned = services.filter(([, selector]) => 'statefulset.kubernetes.io/pod-name' in selector)
    expect(pinned.map(([name]) => name)).toEqual(['sample-hub-organics'])
    expect(pinned[0]?.[1]).toMatchObject({ 'statefulset.kubernetes.io/pod-name': 'sample-hub-0' })
    const found = objects.flatMap((object) => ingress.safeParse(object).data ?? [])
    const paths = found.flatMap(({ spec }) => spec.rules.flatMap(({ http }) => http.paths))
    const served = paths.map(({ path, backend }) => [path, backend.service.name])
    expect(Object.fromEntries(served)).toEqual({
      '/v1': 'sample-hub',
      '/': 'sample-hub-organics',
      '/organics': 'sample-hub-organics',
      '/api/models': 'sample-hub-organics',
      '/ping': 'sample-hub-organics',
    })
  })

  it('gives whole numbers, lists and words as the settings take them', () => {
    const [miner] = render('miner-replicas.yaml').flatMap((object) => {
      const found = workload.safeParse(object)
      return found.success ? found.data.spec.template.spec.containers : []
    })
    const values = Object.fromEntries((miner?.env ?? []).map(({ name, value }) => [name, value]))
    expect(values).toMatchObject({
      TARGON_MIN_STAKE: '1000000',
      TARGON_MAX_IN_FLIGHT: '512',
      TARGON_REQUEST_POLICY: 'off',
      TARGON_MODEL_ENDPOINT: 'http://vllm-a.models.svc:8000/v1,http://vllm-b.models.svc:8000/v1',
      TARGON_METRICS_LISTEN: '0.0.0.0:9200',
    })
  })

  it('copies the links of a mounted secret to files that only the neuron can read', () => {
    const folder = temporaryFolder('helm-keys')
    // as the kubelet lays out a secret: links into a folder that it replaces
    mkdirSync(join(folder, 'secret/..data'), { recursive: true })
    for (const name of ['hotkey', 'password', 'retain-key']) {
      writeFileSync(join(folder, 'secret/..data', name), `the ${name}`, { mode: 0o440 })
      symlinkSync(`..data/${name}`, join(folder, 'secret', name))
    }
    mkdirSync(join(folder, 'wallets'))
    const [container] = render('hub-replicas.yaml').flatMap((object) => {
      const found = workload.safeParse(object)
      return found.success ? (found.data.spec.template.spec.initContainers ?? []) : []
    })
    const script = (container?.args ?? []).join('').replaceAll(/\/(?=secret|wallets)/g, `${folder}/`)
    const env = { ...inheritableEnvironment(), TARGON_WALLET_NAME: 'w', TARGON_WALLET_HOTKEY: 'h' }
    execFileSync('sh', ['-ec', script], { env })
    const copied = join(folder, 'wallets/w/hotkeys/h')
    expect(readFileSync(copied, 'utf8')).toBe('the hotkey')
    for (const path of [copied, join(folder, 'wallets/password'), join(folder, 'wallets/retain-key')])
      expect(statSync(path).mode & 0o777).toBe(0o600)
  })
})

const container = z.looseObject({
  image: z.string(),
  args: z.array(z.string()).optional(),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
  resources: z.object({ requests: z.unknown(), limits: z.unknown() }),
  securityContext: z.unknown(),
})

const workload = z.object({
  kind: z.enum(['Deployment', 'StatefulSet']),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number(),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        containers: z.array(container),
        initContainers: z.array(container).optional(),
        volumes: z.array(z.unknown()),
      }),
    }),
  }),
})

const ingress = z.object({
  kind: z.literal('Ingress'),
  spec: z.object({
    rules: z.array(
      z.object({
        http: z.object({
          paths: z.array(
            z.object({
              path: z.string(),
              backend: z.object({ service: z.object({ name: z.string() }) }),
            }),
          ),
        }),
      }),
    ),
  }),
})

const service = z.object({
  kind: z.literal('Service'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({ selector: z.record(z.string(), z.string()) }),
})

function problemOf(): string | undefined {
  if (existsSync(join(tools, 'problem'))) return readFileSync(join(tools, 'problem'), 'utf8').trim()
  return existsSync(join(tools, 'complete'))
    ? undefined
    : `no helm in ${tools}; bash .ci/install-helm.sh installs it`
}

/** What kubeconform says of these objects. */
function conform(text: string): string {
  const where = join(tools, 'schemas/{{ .ResourceKind }}{{ .KindSuffix }}.json')
  const options = ['-strict', '-summary', '-skip', 'ServiceMonitor', '-schema-location', where]
  const said = spawnSync(join(tools, 'bin/kubeconform'), options, { input: text, encoding: 'utf8' })
  return `${said.stdout}${said.stderr}`
}

/** That of the schemas; a helm compiled by `go install` would assume 1.20. */
const VERSION = ['--kube-version', '1.34.0']

const template = (example: string) => [
  'template',
  'sample',
  chart,
  ...VERSION,
  '--values',
  join(chart, 'ci', example),
]

const tool = (name: string, ...args: string[]) =>
  execFileSync(join(tools, 'bin', name), args, { encoding: 'utf8' })

/** The objects of the chart with these values. */
function render(example: string) {
  const texts = parseAllDocuments(tool('helm', ...template(example)))
  return texts.flatMap((document) => {
    const object: unknown = document.toJS()
    return object === null ? [] : [z.looseObject({ kind: z.string() }).parse(object)]
  })
}
