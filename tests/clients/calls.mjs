// Node's own fetch: node calls.mjs (NODE_USE_ENV_PROXY=1 makes it read HTTPS_PROXY)

const OPENAI = { "content-type": "application/json", authorization: "Bearer sk-test" };
const ANTHROPIC = {
  "content-type": "application/json",
  "x-api-key": "sk-ant-test",
  "anthropic-version": "2023-06-01",
};
const MESSAGE = { role: "user", content: "Zażółć one two 🦆" };

async function post(url, headers, body) {
  const signal = AbortSignal.timeout(20_000);
  return await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal });
}

async function told(answer) {
  const head = { status: answer.status, type: answer.headers.get("content-type") };
  return [head, ...(await answer.text()).split("\n")];
}

const CALLS = {
  "node-whole": async () =>
    told(await post("https://api.openai.com/v1/chat/completions", OPENAI, { model: "gpt-6-mini", messages: [MESSAGE] })),
  "node-chat-streamed": async () =>
    told(
      await post("https://api.openai.com/v1/chat/completions", OPENAI, {
        model: "gpt-6-mini",
        stream: true,
        stream_options: { include_usage: true },
        messages: [MESSAGE],
      }),
    ),
  "node-messages-streamed": async () =>
    told(
      await post("https://api.anthropic.com/v1/messages", ANTHROPIC, {
        model: "claude-haiku-5",
        max_tokens: 64,
        stream: true,
        messages: [MESSAGE],
      }),
    ),
};

for (const [call, run] of Object.entries(CALLS)) {
  console.log(JSON.stringify({ call, events: await run() }));
}
