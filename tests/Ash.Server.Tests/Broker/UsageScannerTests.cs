using System.Text;
using Ash.Server.Broker;
using CsCheck;

namespace Ash.Server.Tests.Broker;

public sealed class UsageScannerTests
{
    private static readonly Gen<int[]> Cuts = Gen.Int[1, 40].Array[1, 400];

    [Fact]
    public void StreamedReply_GivesTheSameUsage_HoweverItIsSplit()
    {
        Cuts.Sample(cuts => Scan(usage => new SseUsageScanner(usage), Answers.Stream, cuts) == "claude-test-1 25 15 7 11");
    }

    [Fact]
    public void StreamedReply_GivesTheSameUsage_WithEveryLineEnding()
    {
        foreach (var ending in new[] { "\r\n", "\r", "\n" })
        {
            var reply = Answers.Stream.Replace("\r", "", StringComparison.Ordinal).Replace("\n", ending, StringComparison.Ordinal);
            Cuts.Sample(cuts => Scan(usage => new SseUsageScanner(usage), reply, cuts) == "claude-test-1 25 15 7 11");
        }
    }

    [Fact]
    public void PlainReply_GivesTheSameUsage_HoweverItIsSplit()
    {
        Cuts.Sample(cuts => Scan(usage => new JsonUsageScanner(usage), Answers.Message, cuts) == "claude-test-2 3 5 0 2");
    }

    [Fact]
    public void GeneratedReply_IsMeteredExactly_WhateverTheTextInIt()
    {
        var text = Gen.OneOf(Gen.String, Gen.Const("\"usage\":{\"output_tokens\":9}"), Gen.Const("\\\"}]}"), Gen.Const("{["), Gen.Const("message"));
        Gen.Select(text.Array[0, 8], Gen.Long[0, 1L << 40], Gen.Long[0, 1L << 40], Cuts).Sample((texts, input, output, cuts) =>
        {
            var reply = System.Text.Json.JsonSerializer.Serialize(new
            {
                content = texts.Select(t => new { type = "text", text = t, usage = new { input_tokens = 77 } }),
                odd = texts,
                usage = new { input_tokens = input, nested = new { output_tokens = 8 }, output_tokens = output },
                message = "none",
                model = "m",
            });
            return Scan(usage => new JsonUsageScanner(usage), reply, cuts) == $"m {input} {output} 0 0";
        });
    }

    [Fact]
    public void AnyBytes_AreReadWithoutFailure()
    {
        Gen.Select(Gen.Byte.Array, Cuts).Sample((bytes, cuts) =>
        {
            Feed(new SseUsageScanner(new TokenUsage()), bytes, cuts);
            Feed(new JsonUsageScanner(new TokenUsage()), bytes, cuts);
        });
    }

    [Fact]
    public void Events_WithoutAName_AreMetered()
    {
        const string Reply = "data: {\"usage\":{\"output_tokens\":4}}\n\ndata:{\"usage\":{\"output_tokens\":9}}\n\n";

        Assert.Equal(" 0 9 0 0", Scan(usage => new SseUsageScanner(usage), Reply, [3]));
    }

    [Fact]
    public void UsageInAnotherEvent_IsNotCounted()
    {
        const string Reply = "event: content_block_delta\ndata: {\"usage\":{\"output_tokens\":4}}\n\n";

        Assert.Equal(" 0 0 0 0", Scan(usage => new SseUsageScanner(usage), Reply, [5]));
    }

    [Fact]
    public void HugeUsage_IsGivenUp_WithoutKeepingIt()
    {
        var reply = $$"""{"usage":{"x":"{{new string('x', 1 << 20)}}","input_tokens":4},"model":"m"}""";

        Assert.Equal("m 0 0 0 0", Scan(usage => new JsonUsageScanner(usage), reply, [4096]));
    }

    private static string Scan(Func<TokenUsage, IUsageScanner> create, string reply, int[] cuts)
    {
        var usage = new TokenUsage();
        Feed(create(usage), Encoding.UTF8.GetBytes(reply), cuts);
        return $"{usage.Model} {usage.InputTokens} {usage.OutputTokens} {usage.CacheCreationTokens} {usage.CacheReadTokens}";
    }

    private static void Feed(IUsageScanner scanner, byte[] bytes, int[] cuts)
    {
        var position = 0;

        for (var i = 0; position < bytes.Length; i++)
        {
            var length = Math.Min(cuts[i % cuts.Length], bytes.Length - position);
            scanner.Read(bytes.AsSpan(position, length));
            position += length;
        }
    }
}
