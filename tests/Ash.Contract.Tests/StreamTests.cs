using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests;

/// <summary>Contract 4 and design 4.1: a stream is taken up again at any frame.</summary>
public sealed class StreamTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Stream_HasEverything_AndGoesOnAfterAnyFrame()
    {
        var session = await CreateSessionAsync();
        await SendAsync(session, """{"content":"hello"}""");
        var all = await ReadAsync($"{session}/stream?until=idle");
        var inside = all.First(frame => frame.Id.EndsWith(".1", StringComparison.Ordinal));
        var row = inside.Id.Split('.')[0];

        Assert.Equal("lifecycle", all[0].Name);
        Assert.Equal(all.SkipWhile(frame => frame != inside).Skip(1), await ReadAsync($"{session}/stream?until=idle&after={inside.Id}"));
        Assert.Equal(all.SkipWhile(frame => frame.Id != row).Skip(1), await ReadAsync($"{session}/stream?until=idle&after={row}.99"));
        Assert.Equal(all.Skip(3), await ReadAsync($"{session}/stream?until=idle&after=0", ("Last-Event-ID", all[2].Id)));
        Assert.Empty(await ReadAsync($"{session}/stream?until=idle&after=latest"));
        Assert.DoesNotContain(await ReadAsync($"{session}/stream?until=idle&partial=false"), frame => frame.Name == "text_delta");
        Assert.DoesNotContain(await ReadAsync($"{session}/stream?until=idle&lifecycle=false"), frame => frame.Name == "lifecycle");
    }

    [Fact(Timeout = Limit)]
    public async Task Message_AndTheStreamOfItsTurn_AreTheSameBytes()
    {
        var session = await CreateSessionAsync();
        var sent = await Api.PostAsync($"{session}/messages", """{"content":"hello","includePartialMessages":true}""");
        var turn = sent.Headers.GetValues("X-Ash-Turn-Id").Single();

        var read = await Api.GetAsync($"{session}/stream?turn={turn}&lifecycle=false");

        Assert.Equal(sent.Text, read.Text);
        (await Api.GetAsync($"{session}/stream?turn={Unknown}")).IsError(404, "turn_not_found");
    }

    [Theory(Timeout = Limit)]
    [InlineData("x")]
    [InlineData("-1")]
    [InlineData("1.")]
    [InlineData("1.0")]
    [InlineData("01")]
    [InlineData("1.2.3")]
    [InlineData("1e3")]
    [InlineData("99999999999999999999")]
    [InlineData("1000000")]
    [InlineData("1000000.1")]
    public async Task Cursor_ThatIsMalformedOrBeyondTheHead_IsRefused(string cursor)
    {
        _quiet ??= await CreateSessionAsync();
        (await Api.GetAsync($"{_quiet}/stream?after={cursor}")).IsError(400, "invalid_cursor");
        (await Api.GetAsync($"{_quiet}/stream?after=0", ("Last-Event-ID", cursor))).IsError(400, "invalid_cursor");
        (await Api.GetAsync($"{_quiet}/stream?after={cursor}&until=idle", ("Last-Event-ID", "1"))).IsWithoutJson(200);
    }

    [Theory(Timeout = Limit)]
    [InlineData("partial=yes")]
    [InlineData("lifecycle=1")]
    [InlineData("until=done")]
    public async Task Option_ThatIsUnknown_IsRefused(string query)
    {
        _quiet ??= await CreateSessionAsync();
        (await Api.GetAsync($"{_quiet}/stream?{query}")).IsError(400, "invalid_request");
    }

    /// <summary>One in which nothing happens. The tests of a class run one after another.</summary>
    private static string? _quiet;

    private async Task<IReadOnlyList<Frame>> ReadAsync(string path, params (string, string)[] headers)
    {
        var answer = await Api.GetAsync(path, headers);
        answer.IsWithoutJson(200);
        return Frame.Parse(answer.Text);
    }
}
