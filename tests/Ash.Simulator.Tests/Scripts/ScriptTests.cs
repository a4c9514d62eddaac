using Ash.Simulator.Scripts;
using static Ash.Simulator.Tests.ModelRequests;

namespace Ash.Simulator.Tests.Scripts;

public sealed class ScriptTests
{
    [Fact]
    public void Step_KeepsItsDefaults_WhereTheScriptSaysNothing()
    {
        var step = Assert.Single(Script.ParseSteps("""{"error":{}}"""));

        Assert.Equal(1, step.Times);
        Assert.Equal(500, step.Error!.Status);
        Assert.Empty(Script.Parse("{}").Scenarios);
    }

    [Fact]
    public void ExampleScript_IsAScript()
    {
        var script = Script.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "example-script.json")));

        Assert.Equal(3, script.Scenarios.Count);
        Assert.Equal(2, script.Scenarios[1].Steps[0].Times);
    }

    [Theory]
    [InlineData("true", -1)]
    [InlineData("250", 250)]
    [InlineData("false", null)]
    public void Hang_IsForEverOrForATimeOrNotAtAll(string json, int? milliseconds)
    {
        Assert.Equal(milliseconds, (int?)Script.ParseSteps($$"""{"hang":{{json}}}""")[0].Hang?.TotalMilliseconds);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"scenario\":[]}")]
    [InlineData("nothing")]
    [InlineData("null")]
    public void WrongScript_IsRefused(string json)
    {
        Assert.Throws<ScriptException>(() => Script.Parse(json));
    }

    [Fact]
    public void Placeholders_AreFilled_ExceptInAScriptForASubagent()
    {
        var fill = new Placeholders(Read(Body(User("a"), Assistant("x"), User("b"), Assistant(ToolUse()), User(ToolResult("42")))));

        Assert.Equal(
            "b 42 claude-test 5 1 2 a | b {{other}}",
            fill.Fill("{{prompt}} {{toolResult}} {{model}} {{messages}} {{step}} {{turn}} {{history}} {{other}}"));
        Assert.Equal("@@fake {{prompt}}", fill.Fill("@@fake {{prompt}}"));
    }

    [Fact]
    public void Placeholders_AreFilled_DeepInJson()
    {
        var fill = new Placeholders(Read(Body(User("say \"hi\""))));
        var step = Script.ParseSteps("""{"tool":{"name":"T","input":{"a":[1,{"b":"<{{prompt}}>"}],"c":null}}}""")[0];

        Assert.Equal("""{"a":[1,{"b":"<say \"hi\">"}],"c":null}""", fill.Fill(step.Tool![0].Input!.Value).GetRawText());
    }
}
