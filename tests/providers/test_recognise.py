"""Recognising: from host, method and target to provider, dialect, operation and model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tollgate.providers import Match, Providers

BUILTIN = Providers.builtin()

AZURE = "https://acme.openai.azure.com"
BEDROCK = "https://bedrock-runtime.eu-west-1.amazonaws.com"

# One call a line: method, URL = provider, dialect, operation and, where the path says it, the model.
CALLS = """
# OpenAI
POST https://api.openai.com/v1/chat/completions = openai openai-chat chat
GET https://api.openai.com/v1/chat/completions/chatcmpl-1 = openai generic chat
POST https://eu.api.openai.com/v1/responses = openai openai-responses responses
GET https://api.openai.com/v1/responses = openai openai-responses responses
GET https://api.openai.com/v1/responses/resp_1?stream=true = openai generic responses
POST https://api.openai.com/v1/responses/compact = openai openai-responses responses
POST https://api.openai.com/v1/responses/input_tokens = openai openai-responses count_tokens
POST https://api.openai.com/v1/responses/resp_1/cancel = openai generic responses
POST https://api.openai.com/v1/completions = openai openai-completions completions
POST https://api.openai.com/v1/embeddings = openai openai-embeddings embeddings
POST https://api.openai.com/v1/images/edits = openai generic images
POST https://api.openai.com/v1/audio/speech = openai generic audio
POST https://api.openai.com/v1/videos = openai generic video
POST https://api.openai.com/v1/files = openai generic files
GET https://api.openai.com/v1/files/file-1/content = openai generic files
POST https://api.openai.com/v1/uploads/upload_1/parts = openai generic uploads
GET https://api.openai.com/v1/batches?limit=2 = openai generic batches
POST https://api.openai.com/v1/moderations = openai generic moderations
POST https://api.openai.com/v1/decisions = openai generic decisions
POST https://api.openai.com/v1/vector_stores/vs_1/search = openai generic vector_stores
POST https://api.openai.com/v1/conversations = openai generic conversations
GET https://api.openai.com/v1/realtime?model=gpt-realtime = openai generic realtime
POST https://api.openai.com/v1/live/sessions = openai generic realtime
POST https://api.openai.com/v1/agents/a/runs = openai generic agents
GET https://api.openai.com/v1/models = openai generic models
DELETE https://api.openai.com/v1/fine_tuning/jobs/ft-1 = openai generic other
POST https://chatgpt.com/backend-api/codex/responses = chatgpt openai-responses responses
GET https://chatgpt.com/backend-api/codex/models?client_version=1 = chatgpt generic models
POST https://chatgpt.com/backend-api/codex/analytics-events/events = chatgpt generic other
POST https://chatgpt.com/backend-api/ps/mcp = chatgpt generic other
# Anthropic
POST https://api.anthropic.com/v1/messages?beta=true = anthropic anthropic-messages chat
POST https://api.anthropic.com/v1/messages/count_tokens = anthropic anthropic-messages count_tokens
GET https://api.anthropic.com/v1/messages/batches/b/results = anthropic generic batches
POST https://api.anthropic.com/v1/complete = anthropic generic completions
POST https://api.anthropic.com/v1/sessions/s/events = anthropic generic agents
POST https://api.anthropic.com/api/event_logging/v2/batch = anthropic generic other
POST https://aws-external-anthropic.us-east-1.api.aws/v1/messages = claude-aws anthropic-messages chat
POST https://claude.googleapis.com/v1/projects/p/locations/global/workspaces/w/invoke/v1/messages
    = claude-google anthropic-messages chat
# Google
POST https://generativelanguage.googleapis.com/v1/models/gemini-3-flash:generateContent
    = gemini gemini chat gemini-3-flash
POST https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse&key=k
    = gemini gemini chat g
POST https://generativelanguage.googleapis.com/v1alpha/models/g:countTokens = gemini gemini count_tokens g
POST https://generativelanguage.googleapis.com/v1beta/tunedModels/mine:generateContent
    = gemini gemini chat mine
POST https://generativelanguage.googleapis.com/v1/models/g:batchEmbedContents = gemini generic embeddings g
POST https://generativelanguage.googleapis.com/v1/models/imagen-5:predict = gemini generic images imagen-5
POST https://generativelanguage.googleapis.com/v1/models/veo-4:predictLongRunning = gemini generic video veo-4
POST https://generativelanguage.googleapis.com/v1/interactions = gemini gemini-interactions chat
GET https://generativelanguage.googleapis.com/v1/interactions/int-1?stream=true = gemini generic chat
POST https://generativelanguage.googleapis.com/v1beta/openai/chat/completions = gemini openai-chat chat
POST https://generativelanguage.googleapis.com/upload/v1beta/files = gemini generic uploads
POST https://generativelanguage.googleapis.com/v1/fileSearchStores/s:importFile = gemini generic vector_stores
GET https://generativelanguage.googleapis.com//ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent
    = gemini generic realtime
POST https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent?alt=sse
    = gemini-code-assist gemini-cloudcode chat
POST https://cloudcode-pa.googleapis.com/v1internal:countTokens
    = gemini-code-assist gemini-cloudcode count_tokens
POST https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist = gemini-code-assist generic other
POST https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/google/models/g:generateContent
    = vertex gemini chat g
POST https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/endpoints/123:streamGenerateContent
    = vertex gemini chat 123
POST https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/c:streamRawPredict
    = vertex anthropic-messages chat c
POST https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/count-tokens:rawPredict
    = vertex anthropic-messages count_tokens
POST https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/mistralai/models/m:rawPredict
    = vertex openai-chat chat m
POST https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/endpoints/openapi/chat/completions
    = vertex openai-chat chat
POST https://aiplatform.googleapis.com/v1/publishers/google/models/g:generateContent = vertex gemini chat g
POST https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/publishers/google/models/g:countTokens
    = vertex gemini count_tokens g
# Azure
POST https://acme.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2025-04-01
    = azure openai-chat chat my-gpt
POST https://acme.openai.azure.com/OpenAI/Deployments/my-gpt/Embeddings
    = azure openai-embeddings embeddings my-gpt
POST https://acme.openai.azure.com/openai/v1/responses = azure openai-responses responses
POST https://acme.services.ai.azure.com/anthropic/v1/messages = azure anthropic-messages chat
POST https://acme.services.ai.azure.com/models/chat/completions = azure openai-chat chat
POST https://acme.services.ai.azure.com/api/projects/p/threads = azure generic agents
POST https://acme.azure-api.net/ai/openai/deployments/d/chat/completions = azure-apim openai-chat chat d
# AWS
POST https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.amazon.nova-v1%3A0/converse
    = bedrock bedrock-converse chat us.amazon.nova-v1:0
POST https://bedrock-runtime.eu-west-1.amazonaws.com/model/nova:0/converse-stream
    = bedrock bedrock-converse chat nova:0
POST https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3A%3A1%3Aprofile%2Fabc/invoke
    = bedrock bedrock-invoke chat arn:aws:bedrock::1:profile/abc
POST https://bedrock-runtime.eu-west-1.amazonaws.com/model/a/b/invoke-with-response-stream
    = bedrock bedrock-invoke chat a/b
POST https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/count-tokens = bedrock generic count_tokens m
POST https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1/chat/completions = bedrock openai-chat chat
POST https://bedrock-runtime.eu-west-1.amazonaws.com/guardrail/g/version/1/apply = bedrock generic moderations
POST https://bedrock-mantle.us-east-1.api.aws/openai/v1/responses = bedrock-mantle openai-responses responses
POST https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages = bedrock-mantle anthropic-messages chat
POST https://bedrock-agent-runtime.us-east-1.amazonaws.com/retrieveAndGenerate = bedrock-agents generic agents
# Other model makers
POST https://api.mistral.ai/v1/chat/completions = mistral openai-chat chat
POST https://codestral.mistral.ai/v1/fim/completions = mistral openai-chat completions
POST https://api.eu.mistral.ai/v1/ocr = mistral generic ocr
POST https://api.cohere.com/v2/chat = cohere cohere-chat chat
POST https://api.cohere.ai/v1/chat = cohere generic chat
POST https://api.cohere.com/v2/rerank = cohere generic rerank
POST https://api.cohere.com/compatibility/v1/chat/completions = cohere openai-chat chat
POST https://us.api.x.ai/v1/responses = xai openai-responses responses
POST https://api.cerebras.ai/v1/responses = cerebras openai-responses responses
POST https://api.x.ai/v1/messages = xai anthropic-messages chat
POST https://api.deepseek.com/beta/chat/completions = deepseek openai-chat chat
POST https://api.deepseek.com/responses = deepseek openai-responses responses
POST https://api.deepseek.com/anthropic/v1/messages = deepseek anthropic-messages chat
POST https://api.moonshot.cn/v1/chat/completions = moonshot openai-chat chat
POST https://api.kimi.com/coding/v1/messages = kimi-code anthropic-messages chat
POST https://api.z.ai/api/coding/paas/v4/chat/completions = zai openai-chat chat
POST https://open.bigmodel.cn/api/anthropic/v1/messages = zhipu anthropic-messages chat
POST https://dashscope-intl.aliyuncs.com/compatible-mode/v1/embeddings = qwen openai-embeddings embeddings
POST https://ws1.us-east-1.maas.aliyuncs.com/apps/anthropic/v1/messages = qwen anthropic-messages chat
POST https://dashscope.aliyuncs.com/api/v1/services/aigc/text-generation/generation = qwen generic chat
POST https://api.minimaxi.com/v1/text/chatcompletion_v2 = minimax openai-chat chat
POST https://api.meta.ai/v1/messages = meta anthropic-messages chat
POST https://api.perplexity.ai/chat/completions = perplexity openai-chat chat
POST https://api.perplexity.ai/search = perplexity generic search
POST https://api.voyageai.com/v1/embeddings = voyage openai-embeddings embeddings
POST https://api.jina.ai/v1/rerank = jina generic rerank
POST https://api.ai21.com/studio/v1/chat/completions = ai21 openai-chat chat
POST https://api.stepfun.com/step_plan/v1/messages = stepfun anthropic-messages chat
POST https://ark.cn-beijing.volces.com/api/v3/chat/completions = volcengine openai-chat chat
POST https://api.hunyuan.cloud.tencent.com/v1/chat/completions = tencent openai-chat chat
# Clouds that serve other things too
POST https://org-acct.snowflakecomputing.com/api/v2/cortex/v1/chat/completions = snowflake openai-chat chat
POST https://acct.us-east-1.privatelink.snowflakecomputing.com/api/v2/cortex/inference:complete
    = snowflake generic chat
POST https://adb-1.2.azuredatabricks.net/serving-endpoints/my-llama/invocations
    = databricks openai-chat chat my-llama
POST https://acme.cloud.databricks.com/serving-endpoints/anthropic/v1/messages
    = databricks anthropic-messages chat
POST https://api.cloudflare.com/client/v4/accounts/a/ai/run/@cf/meta/llama-4
    = cloudflare generic chat @cf/meta/llama-4
POST https://integrate.api.nvidia.com/v1/chat/completions = nvidia openai-chat chat
# Inference hosts
POST https://api.groq.com/openai/v1/chat/completions = groq openai-chat chat
POST https://api-inference.together.ai/v1/chat/completions = together openai-chat chat
POST https://api.fireworks.ai/inference/v1/messages = fireworks anthropic-messages chat
POST https://api.cerebras.ai/v1/completions = cerebras openai-completions completions
GET https://api.cerebras.ai/v1/tcp_warming = cerebras generic other
POST https://router.huggingface.co/v1/responses = huggingface openai-responses responses
POST https://router.huggingface.co/novita/v3/openai/chat/completions = huggingface openai-chat chat
POST https://router.huggingface.co/hf-inference/models/org/m/v1/chat/completions
    = huggingface openai-chat chat org/m
POST https://x1.us-east-1.aws.endpoints.huggingface.cloud/v1/chat/completions
    = huggingface-endpoints openai-chat chat
POST https://x1.us-east-1.aws.endpoints.huggingface.cloud/generate_stream
    = huggingface-endpoints generic completions
POST https://api.deepinfra.com/v1/openai/chat/completions = deepinfra openai-chat chat
POST https://api.sambanova.ai/v1/chat/completions = sambanova openai-chat chat
POST https://api.inference.crusoecloud.com/v1/chat/completions = crusoe openai-chat chat
POST https://api.novita.ai/v3/openai/chat/completions = novita openai-chat chat
POST https://api.tokenfactory.us-central1.nebius.com/v1/chat/completions = nebius openai-chat chat
POST https://api.hyperbolic.xyz/v1/chat/completions = hyperbolic openai-chat chat
POST https://inference.baseten.co/v1/chat/completions = baseten openai-chat chat
POST https://inference.api.nscale.com/v1/chat/completions = nscale openai-chat chat
POST https://oai.endpoints.kepler.ai.cloud.ovh.net/v1/embeddings = ovhcloud openai-embeddings embeddings
POST https://api.scaleway.ai/project-1/v1/chat/completions = scaleway openai-chat chat
POST https://api.doubleword.ai/v1/batches = doubleword generic batches
POST https://api.featherless.ai/v1/completions = featherless openai-completions completions
POST https://api.siliconflow.cn/v1/rerank = siliconflow generic rerank
POST https://api.parasail.io/v1/chat/completions = parasail openai-chat chat
POST https://llm.chutes.ai/v1/chat/completions = chutes openai-chat chat
POST https://api.arcee.ai/api/v1/chat/completions = arcee openai-chat chat
POST https://api.avian.io/v1/chat/completions = avian openai-chat chat
POST https://api.inceptionlabs.ai/v1/chat/completions = inception openai-chat chat
POST https://api.reka.ai/v1/chat/completions = reka openai-chat chat
POST https://api.xiaomimimo.com/anthropic/v1/messages = xiaomi anthropic-messages chat
POST https://api.cognition.ai/v1/chat/completions = cognition openai-chat chat
# Gateways
POST https://openrouter.ai/api/v1/chat/completions = openrouter openai-chat chat
POST https://openrouter.ai/api/v1/messages = openrouter anthropic-messages chat
POST https://eu.openrouter.ai/api/v1/presets/mine/responses = openrouter openai-responses responses
POST https://openrouter.ai/api/alpha/decisions = openrouter generic decisions
GET https://openrouter.ai/api/v1/credits = openrouter generic other
POST https://ai-gateway.vercel.sh/v1beta/models/g:generateContent = vercel gemini chat g
POST https://ai-gateway.vercel.sh/v1/chat/completions = vercel openai-chat chat
POST https://ai-gateway.vercel.sh/v4/ai/language-model = vercel generic chat
POST https://gateway.ai.cloudflare.com/v1/acc/gw/compat/chat/completions = cloudflare-gateway openai-chat chat
POST https://gateway.ai.cloudflare.com/v1/acc/gw/anthropic/v1/messages
    = cloudflare-gateway anthropic-messages chat
POST https://gateway.ai.cloudflare.com/v1/acc/gw/google-ai-studio/v1/models/g:generateContent
    = cloudflare-gateway gemini chat g
POST https://gateway.ai.cloudflare.com/v1/acc/gw/aws-bedrock/bedrock-runtime/us-east-1/model/m/converse
    = cloudflare-gateway bedrock-converse chat m
POST https://gateway.ai.cloudflare.com/v1/acc/gw/azure-openai/acme/my-gpt/chat/completions
    = cloudflare-gateway openai-chat chat my-gpt
POST https://gateway.ai.cloudflare.com/v1/acc/gw = cloudflare-gateway generic chat
POST https://opencode.ai/zen/v1/messages = opencode anthropic-messages chat
POST https://opencode.ai/zen/v1/models/gemini-3-flash:generateContent = opencode gemini chat gemini-3-flash
POST https://models.github.ai/orgs/acme/inference/chat/completions = github-models openai-chat chat
POST https://models.inference.ai.azure.com/chat/completions = github-models openai-chat chat
POST https://ai-gateway.helicone.ai/v1/chat/completions = helicone openai-chat chat
POST https://api.poe.com/v1/chat/completions = poe openai-chat chat
POST https://api.venice.ai/api/v1/chat/completions = venice openai-chat chat
POST https://api.aimlapi.com/v1/chat/completions = aimlapi openai-chat chat
POST https://aihubmix.com/v1/chat/completions = aihubmix openai-chat chat
# Coding tools and this machine
POST https://api.githubcopilot.com/chat/completions = github-copilot openai-chat chat
POST https://api.business.githubcopilot.com/v1/messages = github-copilot anthropic-messages chat
POST https://copilot-api.acme.ghe.com/responses = github-copilot openai-responses responses
POST https://api.individual.githubcopilot.com/mcp/readonly = github-copilot generic agents
POST https://proxy.individual.githubcopilot.com/v1/engines/gpt-x/completions
    = github-copilot openai-completions completions gpt-x
POST http://localhost:11434/api/chat = ollama ollama chat
POST http://127.0.0.1:11434/api/generate = ollama ollama completions
POST http://[::1]:11434/v1/messages = ollama anthropic-messages chat
GET http://gpu.local:11434/api/tags = ollama generic models
POST https://ollama.com/api/chat = ollama-cloud ollama chat
POST http://localhost:1234/api/v1/chat = lm-studio generic chat
POST http://localhost:1234/v1/chat/completions = lm-studio openai-chat chat
"""

OPAQUE_HOSTS = {
    "api2.cursor.sh": "cursor",
    "us-eu.gcpp.cursor.sh": "cursor",
    "server.codeium.com": "windsurf",
    "eu.windsurf.com": "windsurf",
    "ab.chatgpt.com": "chatgpt-telemetry",
    "telemetry.individual.githubcopilot.com": "github-copilot-telemetry",
}


CASES = re.findall(r"^([A-Z]+ \S+)\s+= (.+)$", CALLS, re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """What a policy says of a host of its own."""

    host: str
    provider: str
    dialect: str | None = None
    port: int | None = None


def recognise(call: str, providers: Providers = BUILTIN) -> Match | None:
    """The match for "POST https://host:port/path?query"."""
    method, url = call.split(" ")
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return providers.recognise(parts.netloc.removesuffix(f":{port}"), port, method, target)


def told(match: Match | None) -> str:
    """The match as the tables write it: provider, dialect, operation and, where the path says it, model."""
    assert match is not None
    words = (match.provider.id, match.dialect, match.operation, match.params.get("model", ""))
    return " ".join(words).strip()


def own(*rows: Row) -> Providers:
    return BUILTIN.with_hosts(rows)


@pytest.mark.parametrize(("call", "expected"), CASES, ids=[call for call, _ in CASES])
def test_a_call_is_recognised(call: str, expected: str) -> None:
    match = recognise(call)
    assert told(match) == expected
    assert match is not None
    assert match.known
    assert not match.opaque


def test_the_table_has_every_line_and_every_provider() -> None:
    assert len(CASES) == CALLS.count(" = ")
    covered = {expected.split(" ")[0] for _, expected in CASES} | set(OPAQUE_HOSTS.values())
    assert covered == {row.id for row in BUILTIN.rows}


@pytest.mark.parametrize(("host", "provider"), OPAQUE_HOSTS.items())
def test_an_opaque_host_is_told(host: str, provider: str) -> None:
    match = BUILTIN.recognise(host, 443, "POST", "/agent.v1.AgentService/Run")
    assert match is not None
    assert match.provider.id == provider
    assert match.provider.opaque
    assert match.opaque


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        ("POST https://api.x.ai/xai_api.Chat/GetCompletionChunk", "chat"),
        ("POST https://eu-west-1.api.x.ai/xai_api.Image/GenerateImage", "images"),
        ("POST https://api.x.ai/xai_api.Auth/get_api_key_info", "other"),
        (f"POST {BEDROCK}/model/nova-sonic/invoke-with-bidirectional-stream", "realtime"),
    ],
)
def test_an_opaque_path_on_a_host_that_is_not(call: str, operation: str) -> None:
    match = recognise(call)
    assert match is not None
    assert (match.opaque, match.known, match.operation) == (True, True, operation)
    assert not match.provider.opaque


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "openai.com",
        "evil.api.openai.com",
        "api.openai.com.attacker.example",
        "evil.api.openai.com.attacker.net",
        "xapi.openai.com",
        "api.openai.comx",
        "apixopenai.com",
        "openai.azure.com",
        ".openai.azure.com",
        "a.b.openai.azure.com",
        "acme.openai.azure.com.evil.example",
        "bedrock-runtime..amazonaws.com",
        "bedrock-runtime.us-east-1.evil.amazonaws.com",
        "bedrock.us-east-1.amazonaws.com",
        "cursor.sh",
        "api2.cursor.sh.evil.example",
        "evilcursor.sh",
        "-aiplatform.googleapis.com",
        "auth.openai.com",
        "api.github.com",
        "huggingface.co",
        "169.254.169.254",
        "",
    ],
)
def test_other_hosts_are_no_llm_hosts(host: str) -> None:
    assert BUILTIN.provider_of(host, 443) is None
    assert BUILTIN.recognise(host, 443, "POST", "/v1/chat/completions") is None


@pytest.mark.parametrize("host", ["API.OpenAI.com", "api.openai.com.", "Api.openai.COM."])
def test_case_and_a_last_dot_of_a_host_do_not_matter(host: str) -> None:
    provider = BUILTIN.provider_of(host, 443)
    assert provider is not None
    assert provider.id == "openai"


def test_a_host_on_any_port_but_local_ones_on_theirs() -> None:
    cloud = BUILTIN.provider_of("api.openai.com", 8443)
    assert cloud is not None
    assert cloud.id == "openai"
    ports = {port: BUILTIN.provider_of("localhost", port) for port in (1234, 8000, 8080, 11434)}
    assert {port: found and found.id for port, found in ports.items()} == {
        1234: "lm-studio",
        8000: None,
        8080: None,
        11434: "ollama",
    }
    assert BUILTIN.provider_of("gpu.local", 80) is None


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "/v1//chat/completions",
        "//v1/chat/completions",
        "/v1/./chat/completions",
        "/v1/files/../chat/completions",
        "/v1/%63hat/completions",
        "/v1/files/%2E%2E/chat/completions",
        "/V1/Chat/Completions",
    ],
)
def test_another_spelling_of_a_path_is_the_same_path(path: str) -> None:
    assert told(BUILTIN.recognise("api.openai.com", 443, "POST", path)) == "openai openai-chat chat"


def test_an_encoded_slash_separates_no_segments() -> None:
    match = BUILTIN.recognise("api.openai.com", 443, "POST", "/v1/chat%2fcompletions")
    assert match is not None
    assert not match.known


@pytest.mark.parametrize(
    "target", ["/", "", "*", "/v2/chat/completions", "/v1/chat", "/v1/chat/completionsx?a=b"]
)
def test_an_unknown_path_on_an_llm_host_is_generic(target: str) -> None:
    match = BUILTIN.recognise("api.openai.com", 443, "POST", target)
    assert told(match) == "openai generic other"
    assert match is not None
    assert not match.known


def test_another_method_on_a_known_path_is_unknown() -> None:
    match = BUILTIN.recognise("api.openai.com", 443, "PUT", "/v1/embeddings")
    assert match is not None
    assert not match.known


def test_a_method_in_small_letters_is_the_same_method() -> None:
    assert (
        told(recognise("post https://api.openai.com/v1/embeddings")) == "openai openai-embeddings embeddings"
    )


@pytest.mark.parametrize(
    ("target", "alt"),
    [
        ("?alt=sse", "sse"),
        ("?key=k&alt=sse", "sse"),
        ("?%24alt=json%3Benum-encoding%3Dint", "json;enum-encoding=int"),
        ("?$alt=sse", "sse"),
        ("?salt=sse", None),
        ("?alt=", None),
        ("", None),
    ],
)
def test_the_alt_parameter_is_told(target: str, alt: str | None) -> None:
    path = "/v1/models/g:streamGenerateContent"
    match = BUILTIN.recognise("generativelanguage.googleapis.com", 443, "POST", path + target)
    assert match is not None
    assert match.params.get("alt") == alt
    assert match.params["verb"] == "streamGenerateContent"
    assert "key" not in match.params


def test_a_deployment_stands_as_the_model_too() -> None:
    match = recognise(f"POST {AZURE}/openai/deployments/d%20x/responses")
    assert match is not None
    assert match.params["deployment"] == match.params["model"] == "d x"


def test_a_match_cannot_be_changed() -> None:
    match = recognise(f"POST {AZURE}/openai/deployments/d/responses")
    assert match is not None
    with pytest.raises(TypeError):
        match.params["model"] = "other"  # type: ignore[index]


def test_what_was_recognised_once_is_remembered() -> None:
    first, second = (recognise("POST https://api.openai.com/v1/embeddings") for _ in range(2))
    assert first is second


# -- a policy's own hosts -----------------------------------------------------------------------------------


def test_a_known_provider_on_another_host_keeps_its_paths() -> None:
    providers = own(Row("gpt.corp.example", "azure"))
    call = "POST https://gpt.corp.example/openai/deployments/d/chat/completions"
    assert told(recognise(call, providers)) == "azure openai-chat chat d"
    assert recognise(call) is None
    assert (
        told(recognise(f"POST {AZURE}/openai/v1/responses", providers)) == "azure openai-responses responses"
    )


def test_a_port_narrows_a_host() -> None:
    providers = own(
        Row("GPU.corp.example.", "ollama", port=9999), Row("*.gpu.corp.example", "ollama", port=9999)
    )
    for host in ("gpu.corp.example", "a.gpu.corp.example"):
        found = {port: providers.provider_of(host, port) for port in (9999, 11434)}
        assert {port: row and row.id for port, row in found.items()} == {9999: "ollama", 11434: None}


def test_a_policy_wins_over_a_built_in_row_for_the_same_name() -> None:
    providers = own(Row("api.openai.com", "mine"), Row("*.openai.azure.com", "mine"))
    assert [row.id for row in providers.rows[:2]] == ["mine", "mine"]
    found = [providers.provider_of(host, 443) for host in ("api.openai.com", "a.openai.azure.com")]
    assert [row and row.id for row in found] == ["mine", "mine"]


def test_two_stars_stand_for_several_labels() -> None:
    providers = own(Row("**.llm.example", "mine"), Row("*.api.example", "mine"))
    hosts = ["a.llm.example", "a.b.llm.example", "llm.example", "a.api.example", "a.b.api.example"]
    assert [providers.provider_of(host, 443) is not None for host in hosts] == [
        True,
        True,
        False,
        True,
        False,
    ]


ENDINGS = [
    ("POST /chat/completions", "openai-chat chat"),
    ("POST /serve/v1/chat/completions", "openai-chat chat"),
    ("POST /v1/responses", "openai-responses responses"),
    ("POST /v1/messages", "anthropic-messages chat"),
    ("POST /v1/messages/count_tokens", "anthropic-messages count_tokens"),
    ("POST /v1beta/models/g:streamGenerateContent", "gemini chat g"),
    ("POST /api/chat", "ollama chat"),
    ("POST /x/v2/chat", "cohere-chat chat"),
    ("POST /model/m/converse", "bedrock-converse chat m"),
    ("GET /v1/models", "generic models"),
    ("POST /tokenize", "generic count_tokens"),
    ("POST /nothing/known", "generic other"),
]


@pytest.mark.parametrize(("request_line", "expected"), ENDINGS, ids=[line for line, _ in ENDINGS])
def test_a_new_provider_is_recognised_by_its_paths_endings(request_line: str, expected: str) -> None:
    method, target = request_line.split(" ")
    match = own(Row("vllm.corp.example", "vllm")).recognise("vllm.corp.example", 8000, method, target)
    assert told(match) == f"vllm {expected}"


@pytest.mark.parametrize(
    ("dialect", "request_line", "expected"),
    [
        ("openai-chat", "POST /whatever/run", "openai-chat chat"),
        ("openai-chat", "POST /a/embeddings", "openai-embeddings embeddings"),
        ("openai-responses", "POST /", "openai-responses responses"),
        ("anthropic-messages", "POST /v1/messages/count_tokens", "anthropic-messages count_tokens"),
        ("anthropic-messages", "POST /v1/chat/completions", "anthropic-messages chat"),
        ("bedrock-invoke", "POST /p/model/m/converse", "bedrock-converse chat m"),
        ("generic", "POST /v1/chat/completions", "generic other"),
        ("openai-chat", "GET /whatever", "generic other"),
    ],
)
def test_a_new_provider_with_a_dialect(dialect: str, request_line: str, expected: str) -> None:
    method, target = request_line.split(" ")
    providers = own(Row("llm.corp.example", "corp", dialect))
    assert told(providers.recognise("llm.corp.example", 443, method, target)) == f"corp {expected}"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (Row("https://llm.example", "x"), "'https://llm.example' is no host name or glob"),
        (Row("llm.example:8000", "x"), "'llm.example:8000' is no host name or glob"),
        (Row("", "x"), "'' is no host name or glob"),
        (Row("llm.example", "x", "openai-chats"), "did you mean 'openai-chat'?"),
        (Row("llm.example", "azure", "openai-chat"), "llm.example: 'azure' has its own dialects"),
    ],
)
def test_a_host_that_makes_no_sense_is_refused(row: Row, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        own(row)


def test_no_rows_means_no_llm_hosts() -> None:
    assert Providers((), {}).provider_of("api.openai.com", 443) is None
