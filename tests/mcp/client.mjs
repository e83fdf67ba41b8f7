// One of the TypeScript reference clients, told what to do line by line: see `client.rs`.

import readline from 'node:readline'

const settings = JSON.parse(process.argv[2])
const isModern = settings.package === 'client'

/** The classes of either package, by one name each. */
async function load() {
  if (isModern) {
    const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
    const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
    return { Client, StreamableHTTPClientTransport, StdioClientTransport, elicit: 'elicitation/create' }
  }
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
  const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js')
  const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js')
  return { Client, StreamableHTTPClientTransport, StdioClientTransport, elicit: ElicitRequestSchema }
}

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

const { Client, StreamableHTTPClientTransport, StdioClientTransport, elicit } = await load()
const modes = Object.fromEntries((settings.modes ?? []).map((mode) => [mode, {}]))
const capabilities = settings.modes ? { elicitation: modes } : {}
const negotiation = isModern ? { versionNegotiation: { mode: settings.mode } } : {}
const client = new Client({ name: 'test-client', version: '1' }, { capabilities, ...negotiation })

const elicited = []
if (settings.modes) {
  client.setRequestHandler(elicit, async ({ params }) => {
    elicited.push(params)
    return settings.replies.shift() ?? { action: 'cancel' }
  })
}

const { http, stdio } = settings
const transport = http
  ? new StreamableHTTPClientTransport(new URL(http.url), {
      requestInit: { headers: { Authorization: `Bearer ${http.token}` } },
    })
  : new StdioClientTransport({ ...stdio, stderr: 'inherit' })
// The older package tells its transport, and nobody else.
let told
const setVersion = transport.setProtocolVersion?.bind(transport)
transport.setProtocolVersion = (version) => {
  told = version
  setVersion?.(version)
}

async function call({ tool, args, timeout_s }) {
  let progress = 0
  const options = { timeout: (timeout_s ?? 60) * 1000, onprogress: () => (progress += 1) }
  const params = { name: tool, arguments: args }
  const result = isModern
    ? await client.callTool(params, options)
    : await client.callTool(params, undefined, options)
  const { structuredContent, isError, content } = result
  return { structured: structuredContent, is_error: isError ?? false, text: content[0]?.text, progress }
}

try {
  await client.connect(transport)
  say({ version: isModern ? client.getNegotiatedProtocolVersion() : told })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line)
    try {
      const tools = async () => ({ tools: (await client.listTools()).tools })
      say({ ...(await (command.tool ? call(command) : tools())), elicited: elicited.splice(0) })
    } catch (error) {
      say({ failed: String(error), elicited: elicited.splice(0) })
    }
  }
  await client.close()
} catch (error) {
  say({ failed: String(error) })
}
process.exit(0)
