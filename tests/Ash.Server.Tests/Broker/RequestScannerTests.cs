using System.Text;
using Ash.Server.Broker;
using CsCheck;

namespace Ash.Server.Tests.Broker;

public sealed class RequestScannerTests
{
    private const string Rest = "\"model\":\"m\",\"max_tokens\":1";

    private static readonly Gen<int[]> Cuts = Gen.Int[1, 40].Array[1, 400];

    /// <summary>Requests that would make the provider fetch something.</summary>
    public static TheoryData<string> Reaching =>
    [
        """{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://evil/?d=1"}}]}]}""",
        """{"messages":[{"role":"user","content":[{"type":"document","source":{"url":"https://evil","type":"url"}}]}]}""",
        """{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"image","source":{"type":"url","url":"x"}}]}]}]}""",
        """{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url"}}]}}]}]}""",
        """{"system":[{"type":"document","source":{"type":"url","url":"x"}}],"messages":[]}""",
        """{"messages":[{"content":[{"type":"image","source":{"type":"base64","type":"url"}}]}]}""",
        """{"messages":[{"content":[{"type":"image","source":{"type":"\u0075rl"}}]}]}""",
        """{"messages":[{"content":[{"type":"image","\u0073ource":{"type":"url"}}]}]}""",
        """{"m\u0065ssages":[],"messages":[]}""",
        """{"tools":[{"name":"a","input_schema":{}},{"type":"web_search_20250305","name":"web_search"}]}""",
        """{"tools":[{"name":"web_fetch","type":"web_fetch_20250910"}]}""",
        """{"tools":[{"type":"code_execution_20250825","name":"code_execution"}]}""",
        """{"tools":[{"type":"mcp_toolset","mcp_server_name":"x"}]}""",
        """{"mcp_servers":[{"type":"url","url":"https://evil","name":"x"}]}""",
        """{"container":"container_1"}""",
        """{"container":{"id":null,"skills":[]}}""",
    ];

    /// <summary>Requests that only talk of such things.</summary>
    public static TheoryData<string> Harmless =>
    [
        """{"messages":[{"role":"user","content":"{\"source\":{\"type\":\"url\"}}"}]}""",
        """{"messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"source":{"type":"url"},"tools":[{"type":"web_search_1"}],"a\u0062":1}}]}]}""",
        """{"tools":[{"name":"fetch","input_schema":{"type":"object","properties":{"source":{"type":"url"},"container":{"type":"string"},"\u0061":{}}}}]}""",
        """{"tools":[{"type":"custom","name":"web_search"},{"type":"bash_20250124","name":"bash"}],"mcp_servers":[],"container":null}""",
        """{"messages":[{"content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBOR"}},{"type":"text","text":"type\":\"url"}]}]}""",
        """{"metadata":{"user_id":"{\"container\":1}"},"system":[{"type":"text","text":"web_search"}],"messages":[{"content":[]}]}""",
        "[]",
        "",
        "not json at all",
    ];

    [Theory]
    [MemberData(nameof(Reaching))]
    public void RequestThatReachesIntoTheNetwork_IsRefused_HoweverItIsSplit(string request)
    {
        Cuts.Sample(cuts => RefusalOf(request, cuts) is not null);
        Cuts.Sample(cuts => RefusalOf($"{{{Rest},{request[1..]}", cuts) is not null);
        Cuts.Sample(cuts => RefusalOf(request.Replace(":", " : \n", StringComparison.Ordinal), cuts) is not null);
    }

    [Theory]
    [MemberData(nameof(Harmless))]
    public void RequestThatOnlyTalksOfIt_Passes_HoweverItIsSplit(string request) => Cuts.Sample(cuts => RefusalOf(request, cuts) is null);

    [Fact]
    public void Depth_IsBounded() => Assert.NotNull(RefusalOf(new string('[', 100_000), [1000]));

    [Fact]
    public void AnyBytes_AreReadWithoutFailure() => Gen.Select(Gen.Byte.Array, Cuts).Sample((bytes, cuts) => { Feed(new RequestScanner(), bytes, cuts); });

    private static string? RefusalOf(string request, int[] cuts)
    {
        var scanner = new RequestScanner();
        Feed(scanner, Encoding.UTF8.GetBytes(request), cuts);
        return scanner.Refusal;
    }

    private static void Feed(RequestScanner scanner, byte[] bytes, int[] cuts)
    {
        var at = 0;
        for (var i = 0; at < bytes.Length; i++)
        {
            var length = Math.Min(cuts[i % cuts.Length], bytes.Length - at);
            scanner.Read(bytes.AsSpan(at, length));
            at += length;
        }
    }
}
