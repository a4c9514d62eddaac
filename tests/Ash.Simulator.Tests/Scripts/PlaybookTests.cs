using System.Text.Json.Nodes;
using Ash.Simulator.Scripts;
using static Ash.Simulator.Tests.ModelRequests;

namespace Ash.Simulator.Tests.Scripts;

public sealed class PlaybookTests
{
    private const string TwoSteps = """@@fake [{"text":"one"},{"text":"two"}]""";

    [Fact]
    public void Queue_ComesBeforeAllElse_OnceEach()
    {
        var playbook = new Playbook(Script.Empty);
        playbook.Enqueue(Script.ParseSteps("""[{"text":"first"},{"text":"second"}]"""));

        Assert.Equal(("queue", "first"), Choose(playbook, User(TwoSteps)));
        Assert.Equal(("queue", "second"), Choose(playbook, User(TwoSteps)));
        Assert.Equal(("prompt", "one"), Choose(playbook, User(TwoSteps)));
    }

    [Fact]
    public void QueuedStep_WaitsForItsCondition()
    {
        var playbook = new Playbook(Script.Empty);
        playbook.Enqueue(Script.ParseSteps("""[{"text":"for b","when":{"prompt":"^b$"}},{"text":"for any"}]"""));

        Assert.Equal(("queue", "for any"), Choose(playbook, User("a")));
        Assert.Equal("default", Choose(playbook, User("a")).Source);
        Assert.Equal(("queue", "for b"), Choose(playbook, User("b")));
    }

    [Fact]
    public void ScriptOfThePrompt_ComesBeforeScenarios()
    {
        var playbook = new Playbook(Script.Parse("""{"scenarios":[{"name":"all","steps":[{"text":"scenario"}]}]}"""));

        Assert.Equal(("prompt", "one"), Choose(playbook, User(TwoSteps)));
        Assert.Equal(("all", "scenario"), Choose(playbook, User("a")));
    }

    [Fact]
    public void FirstScenarioThatMatches_Answers()
    {
        var playbook = new Playbook(Script.Parse("""
            {"scenarios":[
              {"when":{"prompt":"^x"},"steps":[{"text":"x"}]},
              {"name":"second","when":{"prompt":"y.z"},"steps":[{"text":"y"}]},
              {"name":"third","when":{"prompt":"y"},"steps":[{"text":"no"}]}],
             "default":{"text":"default"}}
            """));

        Assert.Equal(("second", "y"), Choose(playbook, User("y\nz")));
        Assert.Equal(("default", "default"), Choose(playbook, User("a")));
    }

    [Fact]
    public void Replies_MoveTheScriptOn_UntilItIsDone()
    {
        var playbook = new Playbook(Script.Empty);

        Assert.Equal(("prompt", "one"), Choose(playbook, User(TwoSteps)));
        Assert.Equal(("prompt", "two"), Choose(playbook, User(TwoSteps), Assistant("one")));
        Assert.Equal(("prompt+end", "done"), Choose(playbook, User(TwoSteps), Assistant("one"), User("[structured-output-enforce]"), Assistant("two")));
    }

    [Fact]
    public void StepThatFails_IsPlayedItsTimes_ThenTheNextIsDue()
    {
        const string Prompt = """@@fake [{"error":{"status":529},"times":2},{"drop":true},{"text":"ok"},{"hang":true},{"text":"end"}]""";
        var playbook = new Playbook(Script.Empty);

        Assert.Equal(529, Step(playbook, User(Prompt)).Error?.Status);
        Assert.Equal(529, Step(playbook, User(Prompt)).Error?.Status);
        Assert.True(Step(playbook, User(Prompt)).Drop);
        Assert.Equal(["ok"], Step(playbook, User(Prompt)).Text);
        Assert.Equal(Timeout.InfiniteTimeSpan, Step(playbook, User(Prompt), Assistant("ok")).Hang);
        Assert.Equal(["end"], Step(playbook, User(Prompt), Assistant("ok")).Text);
    }

    [Fact]
    public void Attempts_AreCountedForEachSession()
    {
        const string Prompt = """@@fake [{"error":{}},{"text":"ok"}]""";
        var playbook = new Playbook(Script.Empty);
        StepChoice In(string session) => playbook.Choose(Read(Body(User(Prompt)), ("x-claude-code-session-id", session)));

        Assert.NotNull(In("a").Step.Error);
        Assert.NotNull(In("b").Step.Error);
        Assert.Equal(["ok"], In("a").Step.Text);
    }

    [Fact]
    public void Attempts_AreForgotten_WithANewScriptAndAReset()
    {
        const string Prompt = """@@fake [{"error":{}},{"text":"ok"}]""";
        var playbook = new Playbook(Script.Empty);

        Assert.NotNull(Step(playbook, User(Prompt)).Error);
        playbook.Reset();
        Assert.NotNull(Step(playbook, User(Prompt)).Error);
        playbook.Replace(Script.Empty);
        Assert.NotNull(Step(playbook, User(Prompt)).Error);
        Assert.Null(Step(playbook, User(Prompt)).Error);
    }

    [Theory]
    [InlineData("""{"prompt":"^hello$"}""", true)]
    [InlineData("""{"prompt":"^ello"}""", false)]
    [InlineData("""{"system":"be .*kind"}""", true)]
    [InlineData("""{"model":"test"}""", true)]
    [InlineData("""{"model":"opus"}""", false)]
    [InlineData("""{"tool":"Ba.h"}""", true)]
    [InlineData("""{"tool":"Ba"}""", false)]
    [InlineData("""{"noTools":true}""", false)]
    [InlineData("""{"stream":true}""", true)]
    [InlineData("""{"stream":false}""", false)]
    [InlineData("""{"header":{"X-App":"^cli$"}}""", true)]
    [InlineData("""{"header":{"x-other":"."}}""", false)]
    [InlineData("""{"prompt":"hello","model":"opus"}""", false)]
    public void Condition_HoldsWhenAllFieldsMatch(string when, bool holds)
    {
        var body = Body(User("hello"));
        body["system"] = "be very\nkind";
        body["stream"] = true;
        body["tools"] = new JsonArray(new JsonObject { ["name"] = "Bash" });
        var condition = Script.ParseSteps($$"""{"when":{{when}}}""")[0].When!;

        Assert.Equal(holds, condition.Matches(Read(body, ("x-app", "cli"))));
    }

    private static ScriptStep Step(Playbook playbook, params JsonObject[] messages) =>
        playbook.Choose(Read(Body(messages))).Step;

    private static (string Source, string? Text) Choose(Playbook playbook, params JsonObject[] messages)
    {
        var choice = playbook.Choose(Read(Body(messages)));
        return (choice.Source, choice.Step.Text?.Single());
    }
}
